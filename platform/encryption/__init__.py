"""The vault: secrets sealed at rest, keys derived for signing. Knows no tenant."""
