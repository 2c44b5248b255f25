"""A program in a real pseudo-terminal, what stands on its screen, and when each piece of output arrived.

The screen is only as much of a terminal as Textual's output needs: cursor moves, erasing, printing. Output is stamped
with the time when it was read, by a thread, so that interpreting it adds nothing to what is measured.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import queue
import re
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len

_PIECES = re.compile(
    r"\x1b\[([<-?]?)([0-9;:]*)[ -/]*([@-~])"  # 1, 2, 3: control sequences
    r"|\x1b[\]P_^][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, queries and the like
    r"|\x1b[()][A-Za-z0-9]|\x1b[ -/]?[0-~]"
    r"|([\r\n\b])"  # 4
    r"|([^\x00-\x1f\x7f]+)"  # 5: text
)


class Screen:
    """The characters on a screen of `columns` by `rows` cells."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._rest = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def feed(self, output: bytes) -> None:
        """Take in what the program wrote."""
        text = self._rest + self._decode(output)
        cut = text.rfind("\x1b", max(0, len(text) - 200))
        if cut >= 0 and not _PIECES.match(text, cut):
            text, self._rest = text[:cut], text[cut:]
        else:
            self._rest = ""
        for piece in _PIECES.finditer(text):
            if piece[5]:
                self._print(piece[5])
            elif piece[3]:
                self._control(piece[1], piece[2], piece[3])
            elif piece[4] == "\r":
                self._x = 0
            elif piece[4] == "\n":
                self._y = min(self.rows - 1, self._y + 1)
            elif piece[4] == "\b":
                self._x = max(0, self._x - 1)

    def line(self, row: int) -> str:
        """Return one row as text."""
        return "".join(self.lines[row])

    @property
    def text(self) -> str:
        """Everything that stands on the screen."""
        return "\n".join(self.line(row) for row in range(self.rows))

    def _print(self, text: str) -> None:
        wide = not text.isascii() and cell_len(text) != len(text)
        for sign in text:
            cells = cell_len(sign) if wide else 1
            if self._x + cells > self.columns or not cells:
                continue
            line = self.lines[self._y]
            line[self._x] = sign
            if cells == 2:
                line[self._x + 1] = ""
            self._x += cells

    def _control(self, private: str, written: str, final: str) -> None:
        if private:
            return
        numbers = [int(each) if each.isdigit() else 0 for each in written.split(";")]
        first = numbers[0] or 1
        if final in "Hf":
            self._y = min(self.rows, first) - 1
            self._x = min(self.columns, (numbers[1] if len(numbers) > 1 else 0) or 1) - 1
        elif final in "ABCDG":
            self._move(final, first)
        elif final == "J":
            self.lines = [[" "] * self.columns for _ in range(self.rows)]
        elif final == "K":
            self.lines[self._y][self._x :] = [" "] * (self.columns - self._x)

    def _move(self, final: str, by: int) -> None:
        if final in "AB":
            self._y = max(0, min(self.rows - 1, self._y + (by if final == "B" else -by)))
        else:
            self._x = max(0, min(self.columns - 1, by - 1 if final == "G" else self._x + (by if final == "C" else -by)))


class Terminal:
    """A program that runs in a pseudo-terminal of its own."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], columns: int = 120, rows: int = 34) -> None:
        self.screen = Screen(columns, rows)
        self._arrived: queue.Queue[tuple[float, bytes]] = queue.Queue()
        self.began = time.perf_counter()
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], list(command), environment)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, keys: str) -> float:
        """Write keys as a keyboard would, and return when."""
        now = time.perf_counter()
        os.write(self._descriptor, keys.encode())
        return now

    def wait(self, seen: Callable[[Screen], bool], seconds: float) -> float | None:
        """Wait until something is seen, and return when the output that showed it arrived; None after `seconds`."""
        if seen(self.screen):
            return time.perf_counter()
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            try:
                moment, output = self._arrived.get(timeout=left)
            except queue.Empty:
                return None
            self.screen.feed(output)
            if seen(self.screen):
                return moment
        return None

    def arrived(self) -> Iterator[float]:
        """Take in what has come, piece by piece, and give when each came."""
        while True:
            try:
                moment, output = self._arrived.get_nowait()
            except queue.Empty:
                return
            self.screen.feed(output)
            yield moment

    def rest(self, seconds: float) -> None:
        """Take in what comes for so long."""
        self.wait(lambda _screen: False, seconds)

    def leave(self, keys: str, seconds: float) -> float | None:
        """Press the keys that end the program and return how long it took to end; None where it did not."""
        began = self.press(keys)
        while time.perf_counter() - began < seconds:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                taken = time.perf_counter() - began
                os.close(self._descriptor)
                return taken
            time.sleep(0.002)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def _read(self) -> None:
        while True:
            try:
                output = os.read(self._descriptor, 1 << 16)
            except OSError:  # the program has ended
                return
            self._arrived.put((time.perf_counter(), output))
