"""Choices for the storage hosts only: volume_devices, where every storage host has the same."""
