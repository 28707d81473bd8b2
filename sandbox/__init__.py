"""A stand-in for OpenAI's ChatKit API over real HTTP, for the demo and for tests.

Nothing of Django and nothing of the platform is imported here: the sandbox is the outside world. It behaves as the API
is documented and as recorded replies show it, so that the platform's own reading of the API can be proved wrong.

    app.py            the whole server: /v1, /chatkit.js, /control, /livez
    openai_api.py     sessions, threads, models        conversation.py   the channel that the web component speaks
    errors.py         OpenAI's error table             session_request.py   what a create body may hold
    world.py          what exists: keys, projects, workflows, sessions, threads, the journal, the host's mood
    control.py        how a test or a person changes the world (control_deeds.py: what can be done)
    faults/           a table of named transport faults, and a raw server that plays them
    sites/            the demo's websites
    testing.py        `running_sandbox()` and a typed client for tests
"""
