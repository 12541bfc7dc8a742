"""Seeds that once failed, with the faults that it took and what was wrong in the operator. Each holds now.

The first of them failed in worlds all of one size, in which machines do not differ.
"""

from dataclasses import replace

import pytest

from statefuldb.simulation.runs.run import run
from statefuldb.simulation.size import (
    Size,
    never_turned_away,
    size_of,
    with_all_strikes,
    with_one_worker,
    without_hanging,
)

# 35: another framework ran on reserved cpus while the ports were given back. Offers showed nothing more of ours, and
# the entry was forgotten though the agent still held the rest.
# 21: KILL was lost while the clock of the operator was ahead. Set right, it did not send it again for that hour.
# 105: an operator that Mesos had deposed wrote an entry anew that its successor had just given back and forgotten; its
# incarnations began again, and a task id was used twice.
# 81, 86: an agent was lost while the operator's clock was ahead. Set right, the clock had the fence command wait for as
# long as it had been ahead, and the member with it.
# 184: the clock was set back while a failed member waited to be launched again, and the queue told its next moment by
# the clock as it had been.
# 222, 117: Mesos removed the framework while an agent was cut off. To the next one it said TASK_GONE of a task that the
# agent still ran, and offered its volume again; the volume was destroyed under the server.
# 371: an agent was called gone by mistake, and its member went on under another id. Its data was deleted, and came into
# the ledger again by the label of the task before: a new database of that name waited for a volume that was not there.
# 137: of two operators the deposed one subscribed again before it knew, and ended the other's subscription with ERROR.
# That one did not try again, nor end, and was then the only one left.
# 110: of a deleted member two agents had held something, and never offered at the same time: the entry stayed for good.
# 811: a launch was lost on its way to an agent, which was then cut off and came back without it. Masters say nothing of
# that by themselves, and the operator asked again only within a quarter of an hour.
# 446: a member had a successor, which removed its data and was forgotten; then the operator was killed. The next one
# saw only the first task, which the master (wrongly) still listed, and a new database of that name waited for it.
# 125: a failed member was launched while the clock was ahead. Set right, it had the failures outlived minutes late.
KEPT: dict[int, frozenset[str] | None] = {
    35: frozenset({"strike 2: another framework takes offers"}),
    21: None,
    105: None,
    81: frozenset({"strike 9: operator's clock wrong", "strike 16: host rebooted, agent under another id"}),
    86: None,
    184: None,
    222: None,
    117: None,
    137: None,
    110: None,
    811: None,
    446: None,
    125: None,
    371: frozenset({"strike 3: agent marked gone by mistake"}),
}

# The same in varied worlds (`size_of`), in which operators did one thing at a time.
# 323: the agent of a launch that was never sent was called gone. Its member was called lost, and had nothing to lose.
# 516: deleted data came back into the ledger by what a master that failed over had said of a task before.
# 2218: the plan to approve was another one whenever an offer showed the disk by which a volume on a Path disk grows.
# 3505: a member was stopped for maintenance that was over; the embedded master does not ask a new subscriber anew.
# 3563: a launch never arrived, its agent was forgotten by Mesos, and what had nothing to lose waited for it.
KEPT_VARIED = (323, 516, 2218, 3505, 3563)

# The same where several workers are at it, and requests overtake each other; what was fenced ended at once.
# 9151: two operators began at once. Each had a framework of its own, and one wrote its id over the other's in the
# record; what the other one had launched ran on, and Mesos called it gone.
# 10096: a member that had never served was to be launched elsewhere by a proof that the plan did not show.
# 10416: the same agent was taken for another one on its host, while the master had yet to say what it knew of a launch.
# 10669: an operator that had just begun knew nothing of an UNRESERVE that the one before sent. An agent that was cut
# off never got it; the entry was forgotten by an offer of what was to be, and the agent came back with all that it had.
# 595: a member that never served was to be begun anew by an offer of the agent that a person had just called gone.
# 626: an ACCEPT on one agent put an operation out of mind that another, cut off, had yet to obey; as 10669.
# 11417: deleted data came into the ledger again by what a master had said of its task before it failed over; as 516.
# 11945: a master's answer for a task that had ended counted as owed for ever, and its agent was never fenced.
# 16019: of two operators, one whose watch was broken restarted what the other had launched for a later edit.
KEPT_CROWDED = (9151, 10096, 10416, 10669, 595, 626, 11417, 11945, 16019)

# The same where servers that are cut off from their file system may hang, and go on once they are let in again.
# 686: an operator that another one had deposed took TASK_GONE, said of an earlier framework's task on an agent that was
# cut off, as its end: without a subscription it did not ask whether that agent had heard. A second server was begun.
KEPT_HANGING = (686,)

# The same where only some kinds of strikes happen.
# 23996: what was seen before a subscription was decided on with its first offers: an entry was forgotten while its
# agent, cut off, had yet to obey the UNRESERVE that an earlier operator had sent.
# 25780: a new database in PlanOnly proposed to take up what was under removal, and to launch its own with each offer.
# 32135: after a restore the last of several first starts was gone on with; the laws refused that for an earlier one.
# 32735: after a restore the server of a database that nobody knew any more held the claim of the next one's directory.
# 42723: with an offer the plan to approve had a restart for a larger volume in it, and without one it had not:
# what was retained on another agent was taken for where the member runs. Whatever was approved was another plan.
# 73501: what an agent had told and nobody had acknowledged yet was put out of mind by an answer of the master's. The
# agent told nothing else of the task, and a stop was not heard to have happened.
# 3001: a Mount disk was not of whole MiB. The third launch on it wrote the entry as it was, for ever.
# 67109: an agent that was cut off never grew a volume, and the entry had its new size; no approval ever fitted.
# 95468: two agents may have held something of deleted data that never served, and never offered at the same time. That
# the one of them held nothing was not written down, and the entry stayed for good.
KEPT_FEW_KINDS = (3001, 23996, 25780, 32135, 32735, 42723, 67109, 73501, 95468)

# The same where the API is restored from a backup now and then.
# 14: a database was begun just after the backup, and its agent was called gone before the operator was started again.
# An empty one was begun on another agent.
# 79: the backup had a first start that had not served yet. Before the restore it was stopped for an edit, and then
# begun elsewhere, empty. 77, 122 and 220 were alike.
# 83: the entry of what ran was gone, and for a moment the subscription too. What ran was called a stray.
# 164: a task id from after the backup was used again while an agent that was away still had the first task.
# 319: a first start that may have served was waited for under the id that its agent had before.
# 668: what may have served went on on its host with a new volume, since its own one was not offered yet.
# 246: what was never begun was missed only an hour later: it had ended while the operator's clock was that much ahead.
# 3: at its first start after that the operator's clock was behind. Keepers had seen a higher epoch, and took no
# credentials of it until it was started again; nothing said so.
# 35421: what the backup knew of a name had been released, and what ran of it since was in no entry. The database took
# up the former, whose directory was the latter's.
# 37371: a database took up data of an earlier life just after a person had deleted it with its data. That went too.
# 740052: a member had begun at the usual directory. An entry that people adopted meanwhile, of another host, had that
# path too, and it began again, empty, beside its data.
# 42946: why keepers refused was never heard where all takes seconds: they had ended, or were silent at the next look.
# 43240: of two volumes on one agent the backup knew the first, though the second one was served.
# 57284: what the backup knew of a name had been released since; it was taken up in the second before the subscription,
# in which nothing told of the later life that ran in its directory.
# 65160: the backup had a first attempt of an earlier life; it was to begin elsewhere while the later one's task, which
# Mesos had yet to answer for, had data.
# 87834: the first attempt, which the backup knew, had not arrived, and the next one served on an agent that was away
# after the restore. An empty database was begun where the first one was to be.
KEPT_RESTORED = (3, 14, 79, 83, 164, 246, 319, 668, 35421, 37371, 42946, 43240, 57284, 65160, 740052, 87834)

# Seeds in which a law was wrong and the operator right.
# 961: a member was launched as before, for want of room, and restarted once there was more: asked for by the old edit.
# 1610: an operator that was killed each few seconds was to know of a server that had ended meanwhile.
# 1431: a volume had not grown in three attempts, and no person did what the wait said is to be done.
# 8691: a new operator, which publishes nothing for 15 s where it has heard nothing yet, took a moment to write then.
# 16858: a framework was removed before its id was written down; the people found none to take out, and did nothing.
# 201: what a quarter-hourly reconciliation told otherwise of a task on a forgotten agent was written down at rest.
# 27691: rest began while the agent of a database that is to be stopped had yet to prove that it ended its task.
# 760049: what was to stop was refused, since its data would shrink, and said so; it was to be stopped all the same.
# 44790: a watch was broken while a person stopped a database, and for longer than the law gave it.
# 45151: of two that led, one stopped what the other one had found to be over.
# 54489: of fifty databases on five agents one was to have more cpus, and its agent had none left.
MISJUDGED = {
    760049: replace(size_of(760049), restores=True, hangs=True, kinds_of_strikes=5, turns_away=False),
    961: Size(),
    **{seed: never_turned_away(size_of(seed)) for seed in (201, 27691, 44790, 45151, 54489)},
    **{seed: with_one_worker(size_of(seed)) for seed in (1610, 1431)},
    **{seed: without_hanging(size_of(seed)) for seed in (8691, 16858)},
}


@pytest.mark.parametrize("seed", KEPT)
def test_it_holds(seed: int) -> None:
    kept = KEPT[seed]
    result = run(seed, Size(), kept=kept)
    assert result.verdict.broken is None, result.short
    assert kept is None or frozenset(result.fired) == kept


@pytest.mark.parametrize("seed", KEPT_VARIED)
def test_it_holds_in_a_varied_world(seed: int) -> None:
    result = run(seed, with_one_worker(size_of(seed)))
    assert result.verdict.broken is None, result.short


@pytest.mark.parametrize("seed", KEPT_CROWDED)
def test_it_holds_where_several_workers_are_at_it(seed: int) -> None:
    result = run(seed, without_hanging(size_of(seed)))
    assert result.verdict.broken is None, result.short


@pytest.mark.parametrize("seed", KEPT_HANGING)
def test_it_holds_where_what_is_fenced_hangs(seed: int) -> None:
    result = run(seed, with_all_strikes(size_of(seed)))
    assert result.verdict.broken is None, result.short


@pytest.mark.parametrize("seed", KEPT_FEW_KINDS)
def test_it_holds_where_few_kinds_of_strikes_meet(seed: int) -> None:
    result = run(seed, never_turned_away(size_of(seed)))
    assert result.verdict.broken is None, result.short


@pytest.mark.parametrize("seed", KEPT_RESTORED)
def test_it_holds_where_the_api_is_restored_from_a_backup(seed: int) -> None:
    result = run(seed, replace(never_turned_away(size_of(seed)), restores=True))
    assert result.verdict.broken is None, result.short


@pytest.mark.parametrize("seed", MISJUDGED)
def test_what_is_right_is_judged_right(seed: int) -> None:
    result = run(seed, MISJUDGED[seed])
    assert result.verdict.broken is None, result.short
