"""Which disks LVM may take, and the filter in its configuration file."""

import pytest

from cloud.lvm import filter_of, refusal, set_filter

EMPTY = {"path": "/dev/sdb", "block": True, "size": 1 << 30, "signatures": [], "children": [], "mounts": []}
PV = {**EMPTY, "signatures": ["LVM2_member"]}


def judge(state, volumes=None, lvm=True):
    return refusal(
        "/dev/sdb", {"lvm": lvm, "volumes": volumes or {}, "devices": {"/dev/sdb": state}}, "cinder"
    )


@pytest.mark.parametrize(
    ("state", "volumes"),
    [
        (EMPTY, {}),
        (PV, {"/dev/sdb": "cinder"}),
        ({**PV, "children": ["lvm /dev/mapper/cinder-pool"]}, {"/dev/sdb": "cinder"}),
        (PV, {"/dev/sdb": ""}),  # vgcreate was killed
    ],
)
def test_accepted(state, volumes):
    assert judge(state, volumes) is None


@pytest.mark.parametrize(
    ("state", "volumes", "says"),
    [
        ({**EMPTY, "path": ""}, {}, "does not exist"),
        ({**EMPTY, "block": False}, {}, "not a block device"),
        ({**EMPTY, "signatures": ["ext4"]}, {}, "signatures: ext4"),
        ({**EMPTY, "signatures": ["gpt", "PMBR"], "children": ["part /dev/sdb1"]}, {}, "R; part /dev/sdb1"),
        ({**EMPTY, "children": ["crypt /dev/mapper/x"]}, {}, "crypt /dev/mapper/x"),
        ({**EMPTY, "mounts": ["/srv"]}, {}, "mounted on /srv"),
        (PV, {"/dev/sdb": "root-vg"}, "volume group root-vg"),
        ({**PV, "signatures": ["LVM2_member", "swap"]}, {"/dev/sdb": ""}, "signatures: swap"),
        (PV, {}, "that LVM can't read"),
    ],
)  # fmt: skip
def test_refused(state, volumes, says):
    assert says in str(judge(state, volumes))


def test_physical_volume_without_lvm_tools():
    assert "lvm2" in judge(PV, lvm=False).found


FILTER = 'filter = [ "a|^/dev/sdb$|", "r/.*/" ]'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"devices {{\n\t{FILTER}\n}}\n"),
        ("log {\n}", f"log {{\n}}\ndevices {{\n\t{FILTER}\n}}\n"),
        ('devices {\n\tdir = "/dev"\n}\n', f'devices {{\n\t{FILTER}\n\tdir = "/dev"\n}}\n'),
        # The distribution's file: samples in comments stay.
        (
            'devices {\n\t# filter = [ "a|.*|" ]\n\tscan = [ "/dev" ]\n}\n',
            f'devices {{\n\t{FILTER}\n\t# filter = [ "a|.*|" ]\n\tscan = [ "/dev" ]\n}}\n',
        ),
        # Replaced in place, over several lines, with brackets and comments inside.
        (
            'devices {\n    filter = [ "a|/dev/[ab]|", # mine ]\n      "r|.*|" ] # end\n}\n',
            f"devices {{\n    {FILTER} # end\n}}\n",
        ),
        ('devices { filter="r|.*|" }\n', f"devices {{ {FILTER} }}\n"),
        # The last one would count in LVM.
        ('devices {\nfilter = [ "a/x/" ]\nfilter = [ "a/y/" ]\n}\n', f"devices {{\n{FILTER}\n\n}}\n"),
        # Not ours: another option, another section, a brace in a string or a comment.
        (
            'x { filter = [ "a/x/" ] }\n# devices {\ny { z = "devices {" }\n'
            'devices {\n\tglobal_filter = [ "a/x/" ]\n}\n',
            'x { filter = [ "a/x/" ] }\n# devices {\ny { z = "devices {" }\n'
            f'devices {{\n\t{FILTER}\n\tglobal_filter = [ "a/x/" ]\n}}\n',
        ),
    ],
)  # fmt: skip
def test_set_filter(before, after):
    assert set_filter(before, ["/dev/sdb"]) == after
    assert set_filter(after, ["/dev/sdb"]) == after


def test_no_device_is_accepted():
    assert filter_of([]) == '[ "r/.*/" ]'


@pytest.mark.parametrize("text", ["devices {\n", "devices {\n}\n}\n"])
def test_braces_that_do_not_match(text):
    with pytest.raises(ValueError, match="braces"):
        set_filter(text, ["/dev/sdb"])
