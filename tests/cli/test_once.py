from threading import Thread

from filelock import FileLock

from attnlab.cli import once


def test_who_waits_for_another_process_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(once, "PATIENCE", 0.05)
    monkeypatch.setattr(once, "first_process", lambda: True)
    done = []

    def work():
        with once.alone(tmp_path):
            done.append(True)

    with FileLock(tmp_path / ".lock"):
        waiting = Thread(target=work)
        waiting.start()
        waiting.join(0.5)
        assert not done
        assert f"another process is at this job, so this one waits for it: {tmp_path}" in capsys.readouterr().out
    waiting.join(10)
    assert done


def test_who_need_not_wait_says_nothing(tmp_path, capsys):
    with once.alone(tmp_path):
        pass
    with once.alone(tmp_path):
        assert not capsys.readouterr().out
