"""Settings: all that is wrong in one message, and no secret in it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from clearsplit_core.errors import BadSettings
from clearsplit_core.limits import Quota
from clearsplit_core.ports import StoreOptions
from clearsplit_http.folder import kept_secret
from clearsplit_http.settings import SECRETS, Settings, read_settings

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
        "ENV": "staging",
        "UVICORN_HOST": "::1",
        "UVICORN_PORT": "9000",
        "UVICORN_WORKERS": "1",
        "DATABASE_POOL_MIN": "2",
        "DATABASE_POOL_MAX": "3",
        "DATABASE_WAIT_S": "4",
        "DATABASE_CONNECT_S": "6",
        "DATABASE_STATEMENT_S": "0",
        "DATABASE_PREPARE": "0",
        "ALLOW_UNSAFE_DATABASE": "1",
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
        env="staging",
        host="::1",
        port=9000,
        workers=1,
        store=StoreOptions(
            connections_min=2,
            connections_max=3,
            wait_s=4,
            connect_s=6,
            statement_s=0,
            prepare=False,
            unsafe=True,
        ),
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
        "UVICORN_PORT": "65536",
        "UVICORN_WORKERS": "many",
        "DATABASE_POOL_MAX": "0",
        "DATABASE_PREPARE": "yes",
        "ALLOW_UNSAFE_DATABASE": "true",
    }
    with pytest.raises(BadSettings) as refused:
        read_settings(wrong)
    said = refused.value.message
    assert all(name in said for name in (*wrong, "DATABASE_URL"))
    assert "secrets.token_urlsafe" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"DATABASE_POOL_MIN": "9", "DATABASE_POOL_MAX": "8"}, "DATABASE_POOL_MIN is larger"),
        ({"UVICORN_WORKERS": "2"}, "UVICORN_WORKERS is 1 with memory:"),
        (
            {"DATABASE_URL": "mysql://h"},
            "DATABASE_URL is wrong: It begins with one of: embed",
        ),
        ({"DATABASE_URL": "postgresql://u:p@s@h/d"}, "DATABASE_URL is wrong: A database URL is"),
        ({"DATABASE_URL": "postgresql://h/d?colour=red"}, "DATABASE_URL is wrong"),
        ({"DATABASE_URL": "embedded://host/folder"}, "embedded:///an/absolute/folder"),
    ],
)
def test_what_cannot_be_together_or_be_read_is_said_with_the_rest(
    settings: dict[str, str], said: str
) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings(GOOD | {"BCRYPT_COST": "x"} | settings)
    assert "\n  BCRYPT_COST is a whole number from 4 to 16." in refused.value.message
    assert said in refused.value.message


@pytest.mark.parametrize(
    "name",
    ["DATABASE_URL", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "PASSWORD_PEPPER", "UVICORN_HOST"],
)
def test_bytes_that_are_no_text_are_said_with_the_rest_and_not_repeated(name: str) -> None:
    wrong = (GOOD.get(name, "hunter2" * 8).encode() + b"\xff").decode(errors="surrogateescape")
    with pytest.raises(BadSettings) as refused:
        read_settings(GOOD | {name: wrong, "BCRYPT_COST": "x"})
    said = refused.value.message
    assert said.startswith("These settings are wrong:\n")
    assert f"\n  {name} is not text in UTF-8." in said
    assert "\n  BCRYPT_COST is" in said
    assert "hunter2" not in said
    assert said.encode()


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


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f" {SECRET}\r\n"])
def test_a_secret_may_stand_in_a_file(content: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(content, newline="")
    settings = read_settings({"DATABASE_URL": "memory:", "JWT_SECRET_FILE": str(file)})
    assert settings.jwt_secret == SECRET.encode()


def test_a_secret_stands_in_one_place(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="Both JWT_SECRET and JWT_SECRET_FILE"):
        read_settings(GOOD | {"JWT_SECRET_FILE": str(tmp_path)})
    with pytest.raises(BadSettings, match="PASSWORD_PEPPER_FILE names no file"):
        read_settings(GOOD | {"PASSWORD_PEPPER_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 65_537, b"\xff\xfe"])
def test_a_file_without_a_secret_in_it_is_said(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    for name in SECRETS:
        with pytest.raises(BadSettings, match=f"{name}_FILE names"):
            read_settings(dict.fromkeys(GOOD, "") | {f"{name}_FILE": str(file)})


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


@pytest.mark.parametrize(
    "quota", ["10", "10/", "/300", "0/300", "10/0", "10/86401", "-1/5", "1/٣", "a/b"]
)
def test_a_limit_is_a_count_and_seconds(quota: str) -> None:
    with pytest.raises(BadSettings, match="RATE_LIMIT_LOGIN is a count and seconds"):
        read_settings(GOOD | {"RATE_LIMIT_LOGIN": quota})


def test_limits_proxies_and_origins_are_read() -> None:
    more = {
        "RATE_LIMIT_SIGNUP": "0",
        "RATE_LIMIT_LOGIN": "5/60",
        "RATE_LIMIT_WRITES": "100/1",
        "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "CORS_ORIGINS": "https://app.example.org, http://localhost:3000",
        "JWT_SECRET_PREVIOUS": SECRET[::-1],
        "PASSWORD_PEPPER_PREVIOUS": "salt",
    }
    settings = read_settings(GOOD | more)
    assert settings.signup_quota is None
    assert settings.login_quota == Quota("login", 5, 60)
    assert settings.refresh_quota == Quota("refresh", 60, 60)
    assert settings.writes_quota == Quota("writes", 100, 1)
    assert [str(one) for one in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.cors_origins == ("https://app.example.org", "http://localhost:3000")
    assert settings.password_pepper_previous == b"salt"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET_PREVIOUS", "short"),
        ("TRUSTED_PROXIES", "proxy.example.org"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "*"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://app.example.org/"),
        ("CORS_ORIGINS", "app.example.org"),
    ],
)
def test_what_would_open_a_door_by_mistake_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        read_settings(GOOD | {name: value})


# ── The table in docs/deployment.md ──────────────────────────────────────────────────────────────

GUIDE: Final = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
ROWS: Final = dict(
    re.findall(r"^\| `([A-Z_]+)`(?:, `_FILE`)? \| (.+ \| .+) \|$", GUIDE, re.MULTILINE)
)
"""What the table says of each variable: its default and its meaning."""
RANGES: Final = [
    (name, *found.groups())
    for name, said in ROWS.items()
    if (found := re.search(r"\b(\d+) to (\d+)\b", said))
]


class Watched(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def test_the_table_names_the_variables_that_are_read_and_no_other() -> None:
    environment = Watched(GOOD)
    read_settings(environment)
    in_files = {f"{name}_FILE" for name in SECRETS}
    assert environment.asked - in_files == set(ROWS)
    assert set(re.findall(r"^\| `([A-Z_]+)`, `_FILE` ", GUIDE, re.MULTILINE)) == set(SECRETS)


@pytest.mark.parametrize("name", sorted(set(ROWS) - set(GOOD)))
def test_the_default_in_the_table_is_the_default(name: str) -> None:
    said, _ = ROWS[name].split(" | ", 1)
    default = re.findall(r"`([^`]*)`", said)[-1:]
    assert default or said in ("none", "unset")
    assert read_settings(GOOD | {name: "".join(default)}) == read_settings(GOOD)


FREE: Final = {"UVICORN_HOST", "PASSWORD_PEPPER", "PASSWORD_PEPPER_PREVIOUS"}
"""Variables that may say anything."""


@pytest.mark.parametrize("name", sorted(set(ROWS) - FREE))
def test_nonsense_is_refused_by_name_and_not_repeated(name: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings(GOOD | {name: "hunter2"})
    assert f"{name} " in refused.value.message
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(("name", "least", "most"), RANGES)
def test_the_range_in_the_table_is_the_range(name: str, least: str, most: str) -> None:
    others = {"DATABASE_URL": "postgresql://h/d", "DATABASE_POOL_MAX": "100"}
    for fine in (least, most):
        read_settings(GOOD | others | {"DATABASE_POOL_MIN": "1", name: fine})
    for wrong in (int(least) - 1, int(most) + 1):
        with pytest.raises(BadSettings, match=f"{name} .*is a whole number from {least} to {most}"):
            read_settings(GOOD | others | {name: str(wrong)})
