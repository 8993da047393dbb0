"""Hosts that look like CentOS: a Debian root in its clothes, with packages of its names."""
