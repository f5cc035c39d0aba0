"""PyPI `llm`, the command, with a model of its own configuration file."""

import os
import pathlib
import subprocess
import sys
import tempfile

from support import KEY, URL, run

folder = pathlib.Path(tempfile.mkdtemp(prefix="llm-"))
(folder / "extra-openai-models.yaml").write_text(
    f"- model_id: atelier\n  model_name: gpt-4o-mini\n  api_base: {URL}/v1\n  api_key_name: atelier\n"
)


def llm(*arguments):
    environment = {**os.environ, "LLM_USER_PATH": str(folder)}
    command = [sys.executable, "-m", "llm", *arguments, "--key", KEY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_streamed():
    assert llm("prompt", "-m", "atelier", "good morning") == "You said: good morning"


def test_whole():
    assert llm("prompt", "-m", "atelier", "--no-stream", "good evening") == "You said: good evening"


if __name__ == "__main__":
    run(sys.modules[__name__])
