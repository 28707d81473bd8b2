"""What serves conversations. It loads ChatKit's and the agents' packages (3 s, 80 MB): only processes with SERVE_CHAT import it."""
