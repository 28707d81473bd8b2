"""ChatKit's protocol, served: whatever imports this loads `openai-chatkit` and `openai-agents` (3 s, 80 MB).

`config.chat_door` alone does, when a server process starts with SERVE_CHAT=1.
"""
