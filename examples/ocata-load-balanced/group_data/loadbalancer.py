"""What the notes have on both load balancers."""

# The same: of two that start at once the one with the higher address takes virtual_address.
keepalived_priority = 100
