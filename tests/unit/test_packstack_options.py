"""The table of packstack's options, held against packstack itself."""

import ast
import re
import warnings
from pathlib import Path

import packstack
import pytest

from cloud import packstack_options, secrets
from cloud.packstack_options import GROUPS, NOT_SUPPORTED, OLDER_NAMES, OPTIONS, PASSWORDS, is_secret

ROOT = Path(__file__).parents[2]
# Asked for without an echo, too; they hold no secret, or are never shown.
MASKED_ONLY = {
    "CONFIG_MANILA_GLUSTERFS_NATIVE_PATH_TO_PRIVATE_KEY",
    "CONFIG_RH_PROXY",
    "CONFIG_RH_PROXY_USER",
    "CONFIG_SATELLITE_CACERT",
    "CONFIG_SATELLITE_FLAGS",
    "CONFIG_SATELLITE_PROFILE",
    "CONFIG_SATELLITE_PROXY",
    "CONFIG_SATELLITE_PROXY_USER",
}


@pytest.fixture(scope="module")
def defined():
    """Option -> (whether its value is masked, its older names), from packstack's plugins."""
    found = {}
    for path in Path(packstack.__path__[0], "plugins").glob("*.py"):
        with warnings.catch_warnings(action="ignore"):  # its own escapes are not ours to mend
            tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                fields = {
                    key.value: value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
                if "CONF_NAME" in fields:
                    masked = ast.unparse(fields.get("MASK_INPUT", ast.Constant(False))) == "True"
                    older = ast.literal_eval(fields.get("DEPRECATES", ast.List([])))
                    found[ast.literal_eval(fields["CONF_NAME"])] = (masked, older)
    return found


def test_every_option_of_today_is_in_the_table(defined):
    assert len(defined) == 292
    assert set(defined) - set(OPTIONS) == set()


def test_every_option_of_newton_is_in_the_table():
    text = (ROOT / "examples" / "packstack-osp10" / "answer.ini").read_text()
    names = re.findall("^([A-Z_0-9]+)=", text, re.MULTILINE)
    assert len(names) == 311
    assert set(names) - set(OPTIONS) == set()


def test_an_option_has_one_fate():
    assert sum(len(group.names) for group in GROUPS) == len(OPTIONS) == 340


def test_older_names_lead_to_the_names_that_packstack_says(defined):
    for name, (_, older) in defined.items():
        for old in older:
            assert OLDER_NAMES[old] == name
    assert set(OLDER_NAMES.values()) <= set(OPTIONS)
    assert not set(OLDER_NAMES) & set(OPTIONS)


def test_whatever_packstack_masks_is_a_secret(defined):
    masked = {name for name, (hidden, _) in defined.items() if hidden}
    assert {name for name in masked if not is_secret(name)} == MASKED_ONLY


def test_passwords_become_secrets_that_there_are():
    assert set(PASSWORDS.values()) <= set(secrets.NAMES)
    assert len(set(PASSWORDS.values())) == len(PASSWORDS)
    assert all(is_secret(name) for name in PASSWORDS)


def test_what_is_not_supported_says_what_turns_it_on():
    for group in GROUPS:
        assert set(group.turned_on_by) <= set(OPTIONS), group.reason
        assert group.fate == NOT_SUPPORTED or not (group.switches or group.lacks), group.reason


def test_what_is_shortened_stands_for_what_is_in_the_group():
    everything = [name for group in GROUPS for name in group.options.split()]
    for group in GROUPS:
        short = packstack_options.shortened(group)
        patterns = [re.compile(text.replace("*", ".+")) for text in short]
        meant = [name for name in everything if any(pattern.fullmatch(name) for pattern in patterns)]
        assert sorted(meant) == sorted(group.options.split())


def test_the_page_has_the_table_that_the_program_prints():
    page = (ROOT / "docs" / "packstack.md").read_text()
    assert packstack_options.table() in page, "run: python -m cloud.packstack_options"
