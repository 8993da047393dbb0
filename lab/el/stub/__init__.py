"""Stand-ins for OpenStack's own programs on the lab's EL hosts, and which package has which of them."""
