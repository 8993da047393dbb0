"""The package sources of a Debian host, as its files have them."""

from cloud.apt import sources

LIST = """\
# deb http://old.example/debian trixie main
deb http://deb.example.org/debian trixie main contrib
deb-src http://deb.example.org/debian trixie main
  deb [ arch=amd64 signed-by=/etc/apt/a.asc ] https://user:secret@mirror.example:8443/x trixie-updates a
deb file:/srv/packages ./
"""
SOURCES = """\
# Debian's own
Types: deb deb-src
URIs: http://deb.example.org/debian
 http://mirror.example/debian
Suites: trixie
# in between
 trixie-backports
Components: main

Enabled: no
Types: deb
URIs: http://off.example/
Suites: trixie

types: deb-src
uris: http://source.example/
suites: trixie
"""


def test_one_line_each():
    found = sources({"/etc/apt/sources.list": LIST})
    assert [source.label for source in found] == [
        "deb.example.org trixie",
        # Without the password.
        "mirror.example trixie-updates",
        "file:/srv/packages ./",
    ]
    assert [source.server for source in found] == ["deb.example.org", "mirror.example", ""]


def test_paragraphs():
    found = sources({"/etc/apt/sources.list.d/debian.sources": SOURCES})
    assert [source.label for source in found] == [
        "deb.example.org trixie",
        "deb.example.org trixie-backports",
        "mirror.example trixie",
        "mirror.example trixie-backports",
    ]


def test_one_that_comes_twice_counts_once():
    line = "deb http://deb.example.org/debian trixie {}\n"
    files = {"a.list": line.format("main"), "b.list": line.format("contrib"), "c.sources": SOURCES}
    assert len(sources(files)) == 4
    assert sources({"a.list": "", "b.sources": "\n\n"}) == []
