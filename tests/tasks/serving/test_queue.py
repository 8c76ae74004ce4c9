"""Requests that wait: taken together, refused, given up."""

import threading
import time

import pytest

from tasks.serving.queue import ClosedError, FullError, Job, LateError, Queue


class Slow:
    """Answers each input by its own name, once it is let go."""

    def __init__(self):
        self.go, self.began, self.batches = threading.Event(), threading.Event(), []

    def __call__(self, key, inputs):
        self.began.set()
        assert self.go.wait(5)
        self.batches.append((key, list(inputs)))
        return [f"{key} {item}" for item in inputs]


@pytest.fixture
def slow():
    return Slow()


@pytest.fixture
def queue(slow):
    made = Queue(slow, most=5, batch=4, window=0.0)
    yield made
    slow.go.set()
    made.close()
    made.thread.join(5)
    assert not made.thread.is_alive()


def job(*inputs, key="a", seconds=5.0):
    return Job(inputs, key, time.monotonic() + seconds)


def first(queue, slow):
    """Put a job that is taken at once, and return it."""
    made = job("first")
    queue.put(made)
    assert slow.began.wait(5)
    return made


def test_jobs_of_one_key_that_wait_are_answered_together_and_each_gets_its_own(queue, slow):
    begun = first(queue, slow)
    jobs = [job(1), job(2, key="b"), job(3), job(4, 5)]
    for each in jobs:
        queue.put(each)
    slow.go.set()
    assert [each.answers.result(5) for each in jobs] == [["a 1"], ["b 2"], ["a 3"], ["a 4", "a 5"]]
    assert slow.batches == [("a", ["first"]), ("a", [1, 3, 4, 5]), ("b", [2])]
    assert [begun.batch, *(each.batch for each in jobs)] == [1, 4, 1, 4, 4]


def test_a_batch_has_a_largest_size_and_a_larger_job_is_answered_in_parts(queue, slow):
    first(queue, slow)
    jobs = [job(1, 2, 3), job(4, 5)]
    for each in jobs:
        queue.put(each)
    slow.go.set()
    assert [each.answers.result(5) for each in jobs] == [["a 1", "a 2", "a 3"], ["a 4", "a 5"]]
    large = job(*range(9))
    queue.put(large)
    assert len(large.answers.result(5)) == 9
    assert [len(inputs) for _, inputs in slow.batches] == [1, 3, 2, 4, 4, 1]


def test_of_a_large_job_that_is_left_only_what_is_begun_is_computed(queue, slow):
    large = job(*range(9))
    queue.put(large)
    assert slow.began.wait(5)
    large.leave()
    slow.go.set()
    with pytest.raises(LateError):
        large.answers.result(5)
    assert slow.batches == [("a", [0, 1, 2, 3])]


def test_what_is_too_much_is_refused_with_a_time(queue, slow):
    first(queue, slow)
    queue.put(job(1, 2, 3, 4))
    with pytest.raises(FullError) as caught:
        queue.put(job(5, 6))
    assert caught.value.seconds >= 1
    queue.put(job(5))
    assert len(queue) == 5


def test_what_nobody_waits_for_is_not_computed(queue, slow):
    first(queue, slow)
    left, late, kept = job(1), job(2, seconds=-1.0), job(3)
    for each in (left, late, kept):
        queue.put(each)
    assert left.answers.cancel()
    slow.go.set()
    assert kept.answers.result(5) == ["a 3"]
    with pytest.raises(LateError):
        late.answers.result(5)
    assert [inputs for _, inputs in slow.batches] == [["first"], [3]]


def test_at_its_end_what_is_begun_is_answered_and_what_waits_is_told(queue, slow):
    begun, waiting = first(queue, slow), job(1)
    queue.put(waiting)
    queue.close()
    with pytest.raises(ClosedError):
        waiting.answers.result(5)
    with pytest.raises(ClosedError):
        queue.put(job(2))
    slow.go.set()
    assert begun.answers.result(5) == ["a first"]


def test_an_error_reaches_those_who_wait_and_the_queue_goes_on():
    def answer(key, inputs):
        if key == "bad":
            raise ZeroDivisionError
        return list(inputs)

    queue = Queue(answer, most=5, batch=4, window=0.0)
    bad, good = job(1, 2, key="bad"), job(3)
    queue.put(bad)
    queue.put(good)
    assert [type(each) for each in bad.answers.result(5)] == [ZeroDivisionError] * 2
    assert good.answers.result(5) == [3]
    queue.close()


def test_a_first_job_waits_a_little_for_others():
    sizes = []
    queue = Queue(lambda key, inputs: list(inputs), most=9, batch=3, window=0.5, note=sizes.append)
    jobs = [job(number) for number in range(3)]
    for each in jobs:
        queue.put(each)
    assert [each.answers.result(5) for each in jobs] == [[0], [1], [2]]
    assert sizes == [3]
    queue.close()


def test_computing_ends_once_nobody_waits_and_the_next_job_is_answered():
    ended = []

    def answer(key, inputs):
        end = time.monotonic() + 5
        while key == "endless" and time.monotonic() < end:
            time.sleep(0.01)
            try:
                queue.check_wanted()
            except LateError:
                ended.append(list(inputs))
                raise
        return list(inputs)

    queue = Queue(answer, most=9, batch=4, window=0.05)
    late, left, good = job(1, key="endless", seconds=0.3), job(2, key="endless"), job(3)
    for each in (late, left, good):
        queue.put(each)
    time.sleep(0.5)
    assert not ended  # one of them still waits
    queue.leave(left)
    assert good.answers.result(1) == [3]
    assert ended == [[1, 2]]
    for each in (late, left):
        with pytest.raises(LateError):
            each.answers.result(1)
    queue.close()


def test_a_job_that_is_left_counts_no_longer_and_makes_room(queue, slow):
    first(queue, slow)
    left = job(1, 2, 3, 4)
    queue.put(left)
    queue.leave(left)
    assert len(queue) == 0
    kept = job(5, 6, 7, 8)
    queue.put(kept)
    queue.leave(left)  # which changes nothing
    assert len(queue) == 4
    slow.go.set()
    assert len(kept.answers.result(5)) == 4
    assert [inputs for _, inputs in slow.batches] == [["first"], [5, 6, 7, 8]]
