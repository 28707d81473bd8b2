"""Named transport faults and a raw server that plays them."""
