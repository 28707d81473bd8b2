"""The embedded broker under a race: whoever reads while others write never meets an unfinished message."""

import threading
from queue import Empty

import pytest
from kombu import Connection

TOTAL = 200


@pytest.fixture
def connect(tmp_path):
    options = {"control_folder": str(tmp_path / "control")}
    (tmp_path / "messages").mkdir()
    options |= {"data_folder_in": str(tmp_path / "messages"), "data_folder_out": str(tmp_path / "messages")}

    def connect():
        return Connection("filesystem://", transport="config.file_broker:Transport", transport_options=options)

    return connect


def test_every_message_arrives_whole_while_it_is_being_looked_for(connect):
    def write():
        with connect() as connection, connection.SimpleQueue("work") as queue:
            for number in range(TOTAL // 2):
                queue.put({"number": number, "filling": list(range(20_000))})

    writers = [threading.Thread(target=write) for _ in range(2)]
    received = []
    with connect() as connection, connection.SimpleQueue("work") as queue:
        for writer in writers:
            writer.start()
        while len(received) < TOTAL:
            try:
                message = queue.get(block=False)
            except Empty:
                assert any(writer.is_alive() for writer in writers) or len(received) >= TOTAL - 1
                continue
            received.append(message.payload["number"])
            message.ack()
    for writer in writers:
        writer.join()

    assert sorted(received) == sorted([*range(TOTAL // 2)] * 2)


def test_the_settings_choose_it_where_the_broker_is_files(settings):
    from config.celery_app import app

    if not settings.BROKER_FOLDERS:
        pytest.skip("this pass of the suite runs on Redis")
    with app.connection_for_write() as connection:
        assert type(connection.transport).__module__ == "config.file_broker"
