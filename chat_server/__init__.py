"""Chats that the platform serves itself: conversations, their store, and the runs of models that answer.

Two halves. What lies here is light and always installed: models, admin, retention, erasure. `serving` speaks ChatKit's protocol
by `openai-chatkit` and `openai-agents`, which take 3 s and 80 MB to import: only processes with SERVE_CHAT=1 load it.
"""
