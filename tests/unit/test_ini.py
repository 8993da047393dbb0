"""The INI editor: what oslo.config reads, what is kept, what is changed."""

from textwrap import dedent

import pytest

from cloud import ini


def text(block: str) -> str:
    return dedent(block).lstrip("\n")


# An excerpt as oslo-config-generator writes it.
NOVA = text("""
    [DEFAULT]

    #
    # From nova.conf
    #

    # The availability zone of internal services (string value)
    #internal_service_availability_zone = internal

    # Filters, which may come many times (multi valued)
    #available_filters = a
    #available_filters = b
    debug=false

    [api]

    # Deprecated group/name - [DEFAULT]/auth_strategy
    #auth_strategy = keystone

    [database]
    connection = sqlite:////var/lib/nova/nova.sqlite
    """)

# An excerpt of MariaDB's 50-server.cnf.
MARIADB = text("""
    # These groups are read by MariaDB server.

    [server]

    [mysqld]
    user                    = mysql
    skip-name-resolve
    #port                   = 3306
    bind-address            = 127.0.0.1

    # this is only for embedded server
    [embedded]

    !includedir /etc/mysql/more.d/
    """)

PARSED = {
    "empty": ("", {}),
    "both delimiters, the first one counts": (
        "[a]\nx = 1\ny: 2 = 3\nz=4:5\n",
        {"a": {"x": ["1"], "y": ["2 = 3"], "z": ["4:5"]}},
    ),
    "repeated option": ("[a]\nx = 1\nx = 2\n", {"a": {"x": ["1", "2"]}}),
    "repeated section": ("[a]\nx = 1\n[b]\n[a]\nx = 2\n", {"a": {"x": ["1", "2"]}, "b": {}}),
    "names are case-sensitive": ("[a]\nX = 1\nx = 2\n", {"a": {"X": ["1"], "x": ["2"]}}),
    "continuation": ("[a]\nx = 1,\n    2,\n\t3\ny = 4\n", {"a": {"x": ["1,\n2,\n3"], "y": ["4"]}}),
    "an indented # continues, as in oslo": ("[a]\nx = 1\n  # 2\n", {"a": {"x": ["1\n# 2"]}}),
    "a blank line ends a value": ("[a]\nx = 1\n\n  y = 2\n", {"a": {"x": ["1"], "y": ["2"]}}),
    "a comment ends a value": ("[a]\nx = 1\n# c\n  y = 2\n", {"a": {"x": ["1"], "y": ["2"]}}),
    "indented options of one depth": ("[a]\n  x = 1\n  y = 2\n", {"a": {"x": ["1"], "y": ["2"]}}),
    "empty value is not a flag": ("[a]\nx =\ny\n", {"a": {"x": [""], "y": [ini.FLAG]}}),
    "before any header": ("x = 1\n[a]\n", {"": {"x": ["1"]}, "a": {}}),
    "text after a header": ("[a] # mine\nx = 1\n", {"a": {"x": ["1"]}}),
    "CRLF, no last newline": ("[a]\r\nx = 1\r\ny = 2", {"a": {"x": ["1"], "y": ["2"]}}),
    "quotes are kept": ('[a]\nx = "1"\n', {"a": {"x": ['"1"']}}),
    "comments and includes are no options": ("[a]\n#x = 1\n;y = 2\n!includedir /etc/z\n", {"a": {}}),
}


@pytest.mark.parametrize("name", PARSED)
def test_parse(name):
    content, expected = PARSED[name]
    assert ini.parse(content) == expected


# name: (before, wanted, after)
MERGED = {
    "no file": (
        "",
        {"a": {"x": "1", "y": ["2", "3"]}, "b": {"z": "4"}},
        "[a]\nx = 1\ny = 2\ny = 3\n\n[b]\nz = 4\n",
    ),
    "no file, before any header": ("", {"": {"x": "1"}, "a": {"y": "2"}}, "x = 1\n\n[a]\ny = 2\n"),
    "nothing wanted": ("[a]\nx = 1", {}, "[a]\nx = 1"),
    "as wanted, whatever the layout": ("[a]\n x:1  \n#c\n", {"a": {"x": "1"}}, "[a]\n x:1  \n#c\n"),
    "as wanted, without last newline": ("[a]\nx = 1", {"a": {"x": "1"}}, "[a]\nx = 1"),
    "changed in place": ("[a]\nw = 0\nx=1\ny=2\n", {"a": {"x": "5"}}, "[a]\nw = 0\nx = 5\ny=2\n"),
    "adds the last newline": ("[a]\nx=1", {"a": {"x": "2"}}, "[a]\nx = 2\n"),
    "the other case is another option": ("[a]\nX = 1\n", {"a": {"x": "1"}}, "[a]\nX = 1\nx = 1\n"),
    "the same name elsewhere": ("[a]\nx = 1\n[b]\nx = 1\n", {"b": {"x": "2"}}, "[a]\nx = 1\n[b]\nx = 2\n"),
    "list written": ("[a]\nx = 1\ny = 0\n", {"a": {"x": ["1", "2"]}}, "[a]\nx = 1\nx = 2\ny = 0\n"),
    "list as wanted, lines apart": (
        "[a]\nx = 1\ny = 0\nx = 2\n",
        {"a": {"x": ["1", "2"]}},
        "[a]\nx = 1\ny = 0\nx = 2\n",
    ),
    "list in another order": (
        "[a]\nx = 1\ny = 0\nx = 2\n",
        {"a": {"x": ["2", "1"]}},
        "[a]\nx = 2\nx = 1\ny = 0\n",
    ),
    "list shortened": ("[a]\nx = 1\nx = 2\nx = 3\n", {"a": {"x": ["2"]}}, "[a]\nx = 2\n"),
    "surplus duplicates go": ("[a]\nx = 1\ny = 0\nx = 2\n", {"a": {"x": "2"}}, "[a]\nx = 2\ny = 0\n"),
    "removed": ("[a]\nx = 1\n  2\n# x\ny = 0\nx = 3\n", {"a": {"x": None}}, "[a]\n# x\ny = 0\n"),
    "removed by an empty list": ("[a]\nx = 1\n", {"a": {"x": []}}, "[a]\n"),
    "removed where it isn't": ("[a]\n", {"a": {"x": None}, "b": {"y": None}}, "[a]\n"),
    "continuation replaced": ("[a]\nx = 1,\n  2\n\n  3\n", {"a": {"x": "5"}}, "[a]\nx = 5\n\n  3\n"),
    "continuation written": ("[a]\n", {"a": {"x": "1,\n2"}}, "[a]\nx = 1,\n    2\n"),
    "continuation as wanted": ("[a]\nx =\n\t1,\n\t2\n", {"a": {"x": "\n1,\n2"}}, "[a]\nx =\n\t1,\n\t2\n"),
    "empty value": ("[a]\nx = 1\n", {"a": {"x": ""}}, "[a]\nx =\n"),
    "flag added": ("[a]\n", {"a": {"x": ini.FLAG}}, "[a]\nx\n"),
    "flag to value": ("[a]\nx\n", {"a": {"x": "1"}}, "[a]\nx = 1\n"),
    "value to flag": ("[a]\nx = 1\n", {"a": {"x": ini.FLAG}}, "[a]\nx\n"),
    "indentation is kept": ("[a]\n  x = 1\n  y = 2\n", {"a": {"x": "5"}}, "[a]\n  x = 5\n  y = 2\n"),
    "after the sample": ("[a]\n#x = 0\n\n#y = 0\n", {"a": {"x": "1"}}, "[a]\n#x = 0\nx = 1\n\n#y = 0\n"),
    "after the last sample": (
        "[a]\n#x = 0\n#x = 1\nz = 9\n",
        {"a": {"x": "2"}},
        "[a]\n#x = 0\n#x = 1\nx = 2\nz = 9\n",
    ),
    "a sample with a space": ("[a]\n; x = 0\nz = 9\n", {"a": {"x": "1"}}, "[a]\n; x = 0\nx = 1\nz = 9\n"),
    "a sample before prose": (
        "[a]\n#x = 0\n\n# x = 1 is a bad idea\n",
        {"a": {"x": "2"}},
        "[a]\n#x = 0\nx = 2\n\n# x = 1 is a bad idea\n",
    ),
    "no sample: a longer name": ("[a]\n#xx = 0\nz = 9\n", {"a": {"x": "1"}}, "[a]\n#xx = 0\nz = 9\nx = 1\n"),
    "no sample: another section's": (
        "[a]\nz = 9\n[b]\n#x = 0\n",
        {"a": {"x": "1"}},
        "[a]\nz = 9\nx = 1\n[b]\n#x = 0\n",
    ),
    "sample above an indented option": (
        "[a]\n#x = 0\n  y = 2\n",
        {"a": {"x": "1"}},
        "[a]\n#x = 0\n  x = 1\n  y = 2\n",
    ),
    "sample and change side by side": (
        "[a]\n#x = 0\ny = 1\n",
        {"a": {"y": "2", "x": "1"}},
        "[a]\n#x = 0\nx = 1\ny = 2\n",
    ),
    "end of section": ("[a]\ny = 1\n\n\n[b]\n", {"a": {"x": "1"}}, "[a]\ny = 1\nx = 1\n\n\n[b]\n"),
    "end of an empty section": ("[a]\n\n[b]\n", {"a": {"x": "1"}}, "[a]\nx = 1\n\n[b]\n"),
    "end of the file": ("[a]\ny = 1\n\n", {"a": {"x": "1"}}, "[a]\ny = 1\nx = 1\n\n"),
    "order of new options": ("[a]\n", {"a": {"z": "1", "x": "2", "y": "3"}}, "[a]\nz = 1\nx = 2\ny = 3\n"),
    "before any header, in a file": ("# c\n\n[a]\n", {"": {"x": "1"}}, "# c\nx = 1\n\n[a]\n"),
    "new section": ("[a]\ny = 1\n", {"b": {"x": "1"}}, "[a]\ny = 1\n\n[b]\nx = 1\n"),
    "new section after blank lines": ("[a]\n\n\n", {"b": {"x": "1"}}, "[a]\n\n\n[b]\nx = 1\n"),
    "repeated section: changed where it is": (
        "[a]\nx = 1\n[b]\n[a]\ny = 2\n",
        {"a": {"x": "5", "y": "6"}},
        "[a]\nx = 5\n[b]\n[a]\ny = 6\n",
    ),
    "repeated section: option in both": (
        "[a]\nx = 1\n[b]\n[a]\nx = 2\n",
        {"a": {"x": "2"}},
        "[a]\nx = 2\n[b]\n[a]\n",
    ),
    "repeated section: sample in the first": (
        "[a]\n#x = 1\n[b]\n[a]\ny = 2\n",
        {"a": {"x": "5"}},
        "[a]\n#x = 1\nx = 5\n[b]\n[a]\ny = 2\n",
    ),
    "repeated section: new in the last": (
        "[a]\n[b]\n[a]\ny = 2\n",
        {"a": {"x": "5"}},
        "[a]\n[b]\n[a]\ny = 2\nx = 5\n",
    ),
    "CRLF lines stay": ("[a]\r\nx = 1\r\ny = 2\r\n", {"a": {"x": "1", "y": "3"}}, "[a]\r\nx = 1\r\ny = 3\n"),
    "odd bytes stay": ("# \x0c\u2028\x85é\n[a]\n", {"a": {"x": "ü"}}, "# \x0c\u2028\x85é\n[a]\nx = ü\n"),
    "broken lines stay": ("= 1\n[\n[]\n[a]\n", {"a": {"x": "1"}}, "= 1\n[\n[]\n[a]\nx = 1\n"),
}


@pytest.mark.parametrize("name", MERGED)
def test_merge(name):
    before, wanted, after = MERGED[name]
    assert ini.merge(before, wanted) == after


@pytest.mark.parametrize("name", MERGED)
def test_merge_is_idempotent_and_complete(name):
    before, wanted, after = MERGED[name]
    assert ini.merge(after, wanted) == after
    assert ini.differences(after, wanted) == []
    assert bool(ini.differences(before, wanted)) == (before != after)


@pytest.mark.parametrize("name", MERGED)
def test_merge_keeps_every_other_option(name):
    before, wanted, after = MERGED[name]

    def others(content):
        return {
            (section, option): values
            for section, options in ini.parse(content).items()
            for option, values in options.items()
            if option not in wanted.get(section, {})
        }

    assert others(before) == others(after)


@pytest.mark.parametrize("before", [NOVA, MARIADB])
@pytest.mark.parametrize("name", MERGED)
def test_merge_into_distribution_files_is_idempotent(before, name):
    wanted = MERGED[name][1]
    once = ini.merge(before, wanted)
    assert ini.merge(once, wanted) == once
    assert [line for line in before.split("\n") if line.startswith("#")] == [
        line for line in once.split("\n") if line.startswith("#")
    ]


def test_nova():
    wanted = {
        "DEFAULT": {"debug": "true", "available_filters": ["x", "y"], "my_ip": "10.0.0.11"},
        "database": {"connection": "mysql+pymysql://nova:pw@db/nova"},
        "api": {"auth_strategy": "keystone"},
        "placement": {"region_name": "RegionOne"},
    }
    assert ini.merge(NOVA, wanted) == text("""
        [DEFAULT]

        #
        # From nova.conf
        #

        # The availability zone of internal services (string value)
        #internal_service_availability_zone = internal

        # Filters, which may come many times (multi valued)
        #available_filters = a
        #available_filters = b
        available_filters = x
        available_filters = y
        debug = true
        my_ip = 10.0.0.11

        [api]

        # Deprecated group/name - [DEFAULT]/auth_strategy
        #auth_strategy = keystone
        auth_strategy = keystone

        [database]
        connection = mysql+pymysql://nova:pw@db/nova

        [placement]
        region_name = RegionOne
        """)
    assert ini.differences(NOVA, wanted) == [
        "[DEFAULT] debug",
        "[DEFAULT] available_filters",
        "[DEFAULT] my_ip",
        "[database] connection",
        "[api] auth_strategy",
        "[placement] region_name",
    ]


def test_mariadb():
    wanted = {
        "mysqld": {
            "bind-address": "10.0.0.11",
            "port": "3306",
            "skip-name-resolve": ini.FLAG,
            "max_connections": "4096",
        },
        "embedded": {"x": "1"},
    }
    assert ini.merge(MARIADB, wanted) == text("""
        # These groups are read by MariaDB server.

        [server]

        [mysqld]
        user                    = mysql
        skip-name-resolve
        #port                   = 3306
        port = 3306
        bind-address = 10.0.0.11
        max_connections = 4096

        # this is only for embedded server
        [embedded]

        !includedir /etc/mysql/more.d/
        x = 1
        """)


def test_differences_never_hold_values():
    names = ini.differences("[a]\nx = old-secret\n", {"a": {"x": "new-secret"}, "": {"y": "other-secret"}})
    assert names == ["[a] x", "y"]


def test_read_wanted():
    template = "[a]\n# why\nx = 1\ny = 2\ny = 3\nz = 4,\n    5\nflag\n\n[b]\n"
    assert ini.read_wanted(template) == {
        "a": {"x": "1", "y": ["2", "3"], "z": "4,\n5", "flag": ini.FLAG},
        "b": {},
    }


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("[a]\nx = 1\nmy password secret\n", "line 3"),
        ("[a]\n= secret\n", "line 2"),
        ("[secret\n", "line 1"),
        ("[a]\nx = 1\n  y = secret\n", "line 3 is indented"),
        ("[a]\nx = 1\n  2\n  y = secret\n", "line 4 is indented"),
    ],
)
def test_read_wanted_refuses_by_line_number_only(template, line):
    with pytest.raises(ValueError, match=line) as problem:
        ini.read_wanted(template)
    assert "secret" not in str(problem.value)


def test_overlay_comes_last_and_speaks_oslo():
    wanted = {"a": {"x": "1", "y": "2", "z": "3"}}
    overrides = {
        "a": {"x": 4.0, "y": None, "debug": True, "quiet": False, "n": 0, "e": ""},
        "b": {"l": [1, True, "t"], "v": " 1,\n  2 ", "none": []},
    }
    assert ini.overlay(wanted, overrides) == {
        "a": {"x": "4.0", "y": None, "z": "3", "debug": "true", "quiet": "false", "n": "0", "e": ""},
        "b": {"l": ["1", "true", "t"], "v": "1,\n2", "none": None},
    }
    assert wanted == {"a": {"x": "1", "y": "2", "z": "3"}}
    assert ini.overlay(wanted, {}) == wanted


@pytest.mark.parametrize(
    "options",
    [
        {"x": {"secret": 1}},
        {"x": ["secret", None]},
        {"x": object()},
        {"x": "secret\n\nsecret"},
        {"x\ny": "secret"},
        {"x = y": "secret"},
        {"x:y": "secret"},
        {"#x": "secret"},
        {"[x": "secret\n[y]"},
        {" x": "secret"},
        {"": "secret"},
        {"x y": ini.FLAG},
        {1: "secret"},
    ],
)
def test_overlay_refuses_what_no_file_can_hold(options):
    with pytest.raises(ValueError, match="the override of ") as problem:
        ini.overlay({}, {"a": options})
    assert "secret" not in str(problem.value)


def test_overlay_refuses_odd_sections():
    with pytest.raises(ValueError, match=r"\[a\] must map"):
        ini.overlay({}, {"a": "x = 1"})
    with pytest.raises(ValueError, match="can't be written"):
        ini.overlay({}, {"a]\n[b": {"x": "1"}})
