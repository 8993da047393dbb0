"""Configuration files and command lines, read as oslo.config reads them."""

import argparse
import glob
import os
import re
import socket
import sys

REFERENCE = re.compile(r"\$(?:\{)?(\w+)\}?")


class ConfigError(SystemExit):
    """A configuration that the real program refuses too: status 1, and the reason on stderr."""

    def __init__(self, reason):
        print("ERROR: %s" % reason, file=sys.stderr, flush=True)
        super().__init__(1)
        self.reason = reason


class Config:
    """The options of some files; a later file, or a later line, wins."""

    def __init__(self, files=()):
        self.files = list(files)
        self.options = {}
        for file in self.files:
            self._read(file)

    def _read(self, path):
        section, key = None, None
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except OSError as error:
            raise ConfigError("can't read %s: %s" % (path, error.strerror)) from None
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text[0] in "#;":
                key = None
            elif text[0] == "[" and text[-1] == "]":
                section, key = text[1:-1], None
            elif line[0] in " \t" and key:
                self.options[key] += " " + text
            elif section is None or not re.search("[=:]", text):
                raise ConfigError("%s, line %d: neither a section nor an option: %s" % (path, number, text))
            else:
                name, value = (part.strip() for part in re.split("[=:]", text, maxsplit=1))
                key = (section, name)
                if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                    value = value[1:-1]
                self.options[key] = value

    def get(self, section, name):
        """An option's value, with ``$other`` and ``$section.other`` replaced; empty when it is not set."""
        value = self.options.get((section, name), "")
        if "://" in value:  # no reference stands in an URL, but a "$" may be a part of its password
            return value
        return REFERENCE.sub(
            lambda found: self.get(section, found[1]) or self.get("DEFAULT", found[1]) or found[0], value
        )

    def need(self, section, name):
        value = self.get(section, name)
        if not value:
            raise ConfigError("[%s] %s is not set in %s" % (section, name, ", ".join(self.files)))
        return value

    def number(self, section, name, default):
        value = self.get(section, name) or str(default)
        if not value.isdigit():
            raise ConfigError("[%s] %s = %s: not a number" % (section, name, value))
        return int(value)

    def true(self, section, name, default=False):
        value = (self.get(section, name) or str(default)).lower()
        if value not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
            raise ConfigError("[%s] %s = %s: neither true nor false" % (section, name, value))
        return value in ("true", "1", "yes", "on")

    def sections(self):
        return list(dict.fromkeys(section for section, _ in self.options))

    def host(self):
        """The name under which a service reports."""
        return self.get("DEFAULT", "host") or socket.gethostname()


def defaults(service, files):
    """The files a program reads when its command line names none: RDO's defaults, then the operator's."""
    name = os.path.splitext(files[0])[0]
    shipped = "/usr/share/%s/%s-dist.conf" % (service, name)
    return [path for path in [shipped] if os.path.exists(path)] + ["/etc/%s/%s" % (service, f) for f in files]


class _Source(argparse.Action):
    def __call__(self, parser, namespace, value, option=None):
        if option == "--config-dir":
            if not os.path.isdir(value):
                raise ConfigError("--config-dir %s: no such directory" % value)
            namespace.files.extend(sorted(glob.glob(os.path.join(value, "*.conf"))))
        else:
            namespace.files.append(value)


def parser(program):
    """A command line with the options that every program of OpenStack has."""
    made = argparse.ArgumentParser(prog=program, allow_abbrev=False)
    made.set_defaults(files=[])
    for option in ("--config-file", "--config-dir"):
        made.add_argument(option, action=_Source)
    for option in ("--log-file", "--logfile", "--log-dir", "--web"):
        made.add_argument(option)
    for option in ("--debug", "--verbose", "--use-syslog"):
        made.add_argument(option, action="store_true")
    return made
