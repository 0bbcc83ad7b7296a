"""`clearsplit reset-password`: a new password, told once, and all access over."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.http.process import SECRET, address, environment, serving

PASSWORD = "correct horse battery staple"


def run(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clearsplit_core", "reset-password", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_whoever_forgot_their_password_gets_another(database_url: str) -> None:
    env = environment(DATABASE_URL=database_url, ALLOW_UNSAFE_DATABASE="1", JWT_SECRET=SECRET)
    ana = {"email": "ana@example.org", "password": PASSWORD, "name": "Ana"}
    with serving(env=env) as (_, said), httpx.Client(base_url=address(said)) as http:
        tokens = http.post("/auth/signup", json=ana).json()
        done = run("Ana@Example.org", env=env)
        found = re.search(r"The new password is (\S{24,})\n", done.stdout)
        assert found, done.stderr
        sent = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert http.get("/auth/me", headers=sent).status_code == 401
        for password, status in ((PASSWORD, 401), (found[1], 200)):
            login = {"email": ana["email"], "password": password}
            assert http.post("/auth/login", json=login).status_code == status
    assert done.returncode == 0
    assert found[1] not in done.stderr


def test_a_private_database_is_reached_while_it_is_served(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    ana = {"email": "ana@example.org", "password": PASSWORD, "name": "Ana"}
    with serving("--data-dir", folder, env=environment()) as (_, said):
        httpx.post(f"{address(said)}/auth/signup", json=ana).raise_for_status()
        done = run("ana@example.org", "--data-dir", folder, env=environment())
        assert done.returncode == 0, done.stderr
        login = {"email": ana["email"], "password": done.stdout.split()[4]}
        assert httpx.post(f"{address(said)}/auth/login", json=login).status_code == 200


def test_an_address_without_an_account_is_said(database_url: str) -> None:
    env = environment(DATABASE_URL=database_url, ALLOW_UNSAFE_DATABASE="1", JWT_SECRET=SECRET)
    for email, words in (
        ("bo@example.org", "No account has this"),
        ("bo", "not an e-mail address"),
    ):
        done = run(email, env=env)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("clearsplit reset-password: ")
        assert words in done.stderr


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "No server keeps a jwt-secret in"),
        ({"JWT_SECRET": SECRET, "PASSWORD_PEPPER": "salty"}, "There is no database in"),
    ],
)
def test_a_folder_that_nobody_served_from_stays_as_it_is(
    tmp_path: Path, known: dict[str, str], words: str
) -> None:
    done = run("ana@example.org", "--data-dir", str(tmp_path / "typo"), env=environment(**known))
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []
