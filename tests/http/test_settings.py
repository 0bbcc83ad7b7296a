"""Settings: all that is wrong in one message, and no secret in it."""

from pathlib import Path

import pytest

from clearsplit_core.errors import BadSettings
from clearsplit_http.folder import kept_secret
from clearsplit_http.settings import Settings, read_settings

SECRET = "x" * 32
GOOD = {"DATABASE_URL": "memory:", "JWT_SECRET": SECRET}


def test_two_settings_are_enough() -> None:
    assert read_settings(GOOD) == Settings(store_url="memory:", jwt_secret=SECRET.encode())


def test_everything_can_be_set() -> None:
    more = {
        "JWT_ALGORITHM": "HS512",
        "ACCESS_TOKEN_EXPIRE_MINUTES": "5",
        "REFRESH_TOKEN_EXPIRE_DAYS": "7",
        "PASSWORD_MIN_LENGTH": "12",
        "PASSWORD_PEPPER": "pepper",
        "BCRYPT_COST": "10",
        "DRAIN_S": "3",
    }
    assert read_settings(GOOD | more) == Settings(
        store_url="memory:",
        jwt_secret=SECRET.encode(),
        jwt_algorithm="HS512",
        access_token_minutes=5,
        refresh_token_days=7,
        password_length_min=12,
        password_pepper=b"pepper",
        bcrypt_cost=10,
        drain_s=3,
    )


def test_all_that_is_wrong_is_said_at_once_and_no_value_repeated() -> None:
    wrong = {
        "JWT_SECRET": "hunter2",
        "JWT_ALGORITHM": "hunter2",
        "ACCESS_TOKEN_EXPIRE_MINUTES": "0",
        "REFRESH_TOKEN_EXPIRE_DAYS": "1.5",
        "PASSWORD_MIN_LENGTH": "-1",
        "BCRYPT_COST": "9" * 5000,
        "DRAIN_S": "\u0663",
    }
    with pytest.raises(BadSettings) as refused:
        read_settings(wrong)
    said = refused.value.message
    assert all(name in said for name in (*wrong, "DATABASE_URL"))
    assert "secrets.token_urlsafe" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("algorithm", ["none", "RS256", "hs256", "HS256 HS512"])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    with pytest.raises(BadSettings, match="JWT_ALGORITHM is HS256, HS384 or HS512"):
        read_settings(GOOD | {"JWT_ALGORITHM": algorithm})


@pytest.mark.parametrize(
    ("secret", "good"), [("x" * 31, False), ("x" * 32, True), ("é" * 16, True)]
)
def test_a_secret_has_32_bytes(secret: str, good: bool) -> None:  # noqa: FBT001
    try:
        read_settings(GOOD | {"JWT_SECRET": secret})
    except BadSettings:
        assert not good
    else:
        assert good


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    settings = read_settings({"DATABASE_URL": "memory:", "JWT_SECRET_FILE": str(file)})
    assert settings.jwt_secret == SECRET.encode()


def test_a_secret_stands_in_one_place(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="Both JWT_SECRET and JWT_SECRET_FILE"):
        read_settings(GOOD | {"JWT_SECRET_FILE": str(tmp_path)})
    with pytest.raises(BadSettings, match="PASSWORD_PEPPER_FILE names no file"):
        read_settings(GOOD | {"PASSWORD_PEPPER_FILE": str(tmp_path / "none")})


def test_no_secret_is_shown() -> None:
    settings = read_settings(GOOD | {"DATABASE_URL": "postgresql://u:hunter2@h/d"})
    assert SECRET not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_a_kept_secret_stays_the_same_and_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = kept_secret(folder, "jwt-secret")
    assert kept_secret(folder, "jwt-secret") == first
    assert kept_secret(folder, "another") != first
    assert len(first) >= 32
    assert (folder / "jwt-secret").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in folder.iterdir()) == ["another", "jwt-secret"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSettings, match="--data-dir"):
        kept_secret(tmp_path / "file" / "data", "jwt-secret")
