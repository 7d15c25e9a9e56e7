"""Vault and passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from secloop_ai.contracts import InventoryError
from secloop_ai.inventory import load_environment, load_with_secrets, secrets, start
from tests.inventory.tree import GOOD, R1_YML, ansible, write

WORD = "not-a-real-one"
HINT = r"\(vault_password_file in ansible.cfg, or ANSIBLE_VAULT_PASSWORD_FILE, names the vault password\)"


@pytest.fixture
def vault(tmp_path: Path) -> str:
    """A vault password file."""
    path = tmp_path / "vault-password"
    path.write_text("open sesame\n")
    return str(path)


@pytest.fixture
def sealed(tmp_path: Path, vault: str) -> str:
    """An inventory with a vaulted password, and a vaulted user name."""
    word = ansible(
        "ansible-vault", "encrypt_string", "--vault-password-file", vault, "--name", "ansible_password", WORD
    )
    user = ansible("ansible-vault", "encrypt_string", "--vault-password-file", vault, "--name", "ansible_user", "ops")
    files = {**GOOD, "group_vars/secloop_devices.yml": word, "host_vars/r1.yml": R1_YML + user}
    return write(tmp_path / "inv", files)


def test_a_vaulted_variable(sealed: str, vault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", vault)
    environment, found = load_with_secrets([sealed])
    assert environment.devices[0].connection.user == "ops"
    assert {name: word.get_secret_value() for name, word in found.items()} == {"r1": WORD}
    assert environment == load_environment([sealed])
    assert secrets([sealed]) == found


def test_the_password_file_may_stand_in_ansible_cfg(sealed: str, vault: str, tmp_path: Path) -> None:
    write(tmp_path, {"ansible.cfg": f"[defaults]\nvault_password_file = {vault}\n"})
    assert load_environment([sealed], config=str(tmp_path / "ansible.cfg")).devices[0].connection.user == "ops"


def test_a_vaulted_file(tmp_path: Path, vault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "inv", GOOD)
    ansible("ansible-vault", "encrypt", "--vault-password-file", vault, f"{source}/host_vars/r1.yml")
    with pytest.raises(InventoryError, match=rf"inv/host_vars/r1.yml: .*{HINT}$"):
        load_environment([source])
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", vault)
    assert load_environment([source]).devices[0].dialect == "ietf"


def test_passwords_are_neither_printed_nor_in_the_environment(
    sealed: str, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", vault)
    loaded = load_with_secrets([sealed])
    assert WORD not in repr(loaded)
    assert WORD not in loaded.environment.model_dump_json()
    raw = start([sealed], secrets=True).result(60.0)
    assert raw.hosts[0].values["ansible_password"] == WORD  # so the next line could fail
    assert WORD not in repr(raw)


def test_a_plain_password_of_any_scalar(tmp_path: Path) -> None:
    files = {
        **GOOD,
        "host_vars/r1.yml": R1_YML + "ansible_password: 123456\n",
        "host_vars/pc.yml": "ansible_ssh_pass: x\n",
    }
    found = secrets([write(tmp_path, files)])
    assert {name: word.get_secret_value() for name, word in found.items()} == {"r1": "123456", "pc": "x"}


def test_no_vault_password(sealed: str) -> None:
    with pytest.raises(InventoryError, match=rf"inv/host_vars/r1.yml:\d+: r1: ansible_user: .*{HINT}$"):
        load_environment([sealed])


def test_a_wrong_vault_password(sealed: str, vault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(vault).write_text("open barley\n")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", vault)
    with pytest.raises(InventoryError) as error:
        load_with_secrets([sealed])
    lines = str(error.value).splitlines()
    assert lines[0] == "the inventory has 2 problems:"
    assert "group_vars/secloop_devices.yml:1: r1: ansible_password: " in lines[1]
    assert "host_vars/r1.yml:9: r1: ansible_user: " in lines[2]


def test_a_vault_password_file_that_is_not_there(sealed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "/nowhere/vault")
    with pytest.raises(InventoryError, match="The vault password file /nowhere/vault was not found"):
        load_environment([sealed])


def test_an_environment_does_not_need_the_passwords(tmp_path: Path, vault: str) -> None:
    word = ansible(
        "ansible-vault", "encrypt_string", "--vault-password-file", vault, "--name", "ansible_password", WORD
    )
    source = write(tmp_path / "inv", {**GOOD, "group_vars/secloop_devices.yml": word})
    assert load_environment([source]).devices[0].name == "r1"
    with pytest.raises(InventoryError, match=r"group_vars/secloop_devices.yml:1: r1: ansible_password: "):
        secrets([source])


def test_a_password_that_is_a_list(tmp_path: Path) -> None:
    source = write(tmp_path, {**GOOD, "host_vars/r1.yml": R1_YML + "ansible_password: [a, b]\n"})
    with pytest.raises(InventoryError, match=r"r1.yml:9: r1: ansible_password: must be text$"):
        secrets([source])


def test_a_reading_without_secrets_has_none_to_give(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"start\(\.\.\., secrets=True\)"):
        secrets(start([write(tmp_path, GOOD)]))
