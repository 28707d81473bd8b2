"""What serves conversations: loads ChatKit's and the agents' packages (3 s, 80 MB), so only processes with SERVE_CHAT import it."""
