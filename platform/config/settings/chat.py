"""Chats that the platform serves itself, for assistants whose backend is `platform`."""

from config.settings.environment import VAR_DIR, directory, env

# Only such processes have the chat endpoint, and load what it takes (80 MB, 3 s).
SERVE_CHAT = env.bool("SERVE_CHAT", default=False)
# Connections to the database that such a process needs beside: four for conversations, one for revocations.
CHAT_CONNECTIONS = 5
# Answers that may be on their way at once in one process: of one tenant, and of all together.
CHAT_STREAMS_TENANT = env.int("CHAT_STREAMS_TENANT", default=500)
CHAT_STREAMS_PROCESS = env.int("CHAT_STREAMS_PROCESS", default=1000)
# Files of conversations, encrypted: a folder that all web processes and workers share.
CHAT_FILES_DIR = directory("CHAT_FILES_DIR", default=VAR_DIR / "chat_files")
# The largest file that a visitor may send, whatever an assistant allows: it is encrypted in one piece, in memory.
CHAT_MAX_FILE_MB = env.int("CHAT_MAX_FILE_MB", default=20)
# Room for the files of one tenant's conversations; 0 is no limit.
CHAT_FILES_MB_TENANT = env.int("CHAT_FILES_MB_TENANT", default=5000)
# Conversations are deleted so many days after their last message; 0 keeps them for ever.
CONVERSATION_RETENTION_DAYS = env.int("CONVERSATION_RETENTION_DAYS", default=90)
# Where ChatKit's frame comes from: it uploads files and shows images by itself, with links that we sign.
CHATKIT_FRAME_ORIGINS: list[str] = env.list("CHATKIT_FRAME_ORIGINS", default=["https://cdn.platform.openai.com"])
CHAT_FILES_STORAGE = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": str(CHAT_FILES_DIR),
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
# What a draft that “Prepare” makes begins with; an operator may choose another for each assistant.
CHAT_DEFAULT_MODEL = env.str("CHAT_DEFAULT_MODEL", default="gpt-4.1-mini")
