"""The table of the worst ratios, from records and into a page."""

from benchmarks import report, standings, tables, weakest

MACHINE = {"processor": "one", "cores": 2}


def run(name, **machine):
    return {"kind": "run", "run": name, **MACHINE, **machine}


def side(solver, *seconds, threads=1):
    return {"solver": solver, "seconds": list(seconds), "cpu": [2 * one for one in seconds], "threads": threads}


def where(problem, name, threads, task):
    return {"run": name, "problem": problem, "family": "binomial", "threads": threads, "task": task, "n": 10, "p": 2000}


def compared(problem, solver, ours, theirs, *, name="now", threads=1, their_threads=None, task="path"):
    return {
        "kind": "comparison", **where(problem, name, threads, task), "ours": side("normball", ours),
        "theirs": side(solver, theirs, threads=their_threads or threads),
        "ratio": {"median": theirs / ours, "min": 0, "max": 9, "rounds": 3},
    }  # fmt: skip


def alone(problem, ours, *, name):
    return {"kind": "timing", **where(problem, name, 1, "path"), "ours": side("normball", ours)}


def told(records):
    return [(c.record["problem"], c.record["theirs"]["solver"], c.ratio, c.apart) for c in weakest.contests(records)]


def test_the_fastest_peer_of_each_problem_counts_and_the_worst_comes_first():
    records = [
        run("now"),
        compared("A", "glmnet", 1.0, 4.0),
        compared("A", "adelie", 1.0, 3.0),
        compared("A", "gram", 1.0, 0.1),
        compared("B", "glmnet", 2.0, 1.0),
    ]
    assert told(records) == [("B", "glmnet", 0.5, False), ("A", "adelie", 3.0, False)]


def test_a_peer_counts_with_the_better_number_of_its_threads():
    records = [
        run("now"),
        compared("A", "adelie", 1.0, 9.0, threads=2),
        compared("A", "adelie", 1.0, 3.0, threads=2, their_threads=1),
    ]
    assert told(records) == [("A", "adelie", 3.0, False)]
    assert "| adelie, 1 thread |" in weakest.section(records)


def test_a_later_time_of_ours_counts_against_the_peers_of_before():
    records = [run("now"), compared("A", "glmnet", 1.0, 4.0), run("later"), alone("A", 0.5, name="later")]
    assert told(records) == [("A", "glmnet", 8.0, True)]
    text = weakest.section(records)
    assert "| 8.00 * |" in text
    assert "not in turn" in text
    folds = [run("now"), compared("A", "glmnet", 1.0, 4.0, task="cv"), run("later")]
    both = compared("A", "normball path", 2.0, 0.1, name="later", task="cv/path")
    assert told([*folds, both]) == [("A", "glmnet", 2.0, True)]


def test_times_of_two_machines_are_not_set_side_by_side():
    records = [
        run("now"), compared("A", "glmnet", 1.0, 4.0), run("later", processor="another"), alone("A", 0.5, name="later")
    ]  # fmt: skip
    assert told(records) == [("A", "glmnet", 4.0, False)]


def test_the_page_keeps_the_ten_worst_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- weakest: begin -->\nold\n<!-- weakest: end -->\nafter\n")
    records = [run("now"), *(compared(f"p{i}", "glmnet", 1.0, 0.5 + i) for i in range(12))]
    assert not weakest.keep([run("now")], page)
    assert "old" in page.read_text()
    for _ in range(2):
        assert weakest.keep(records, page)
        lines = page.read_text().splitlines()
        assert (lines[0], lines[-1]) == ("before", "after")
        assert [line.split(" |")[0] for line in lines if line.startswith("| p1")][:2] == ["| p1"]
        assert len([line for line in lines if line.startswith("| p")]) == 11  # with the head
        assert "| p0 | binomial | 10 × 2,000 | path | 1 | 1.000 | 2.000 | glmnet | 0.500 | 1.000 | 0.50 |" in lines
    assert "in 1 the peer is faster" in page.read_text()


def test_the_marks_are_in_the_page_of_the_project():
    text = tables.PAGE.read_text()
    assert text.index("<!-- weakest: begin -->") < text.index("<!-- weakest: end -->")


def test_a_peer_that_failed_later_is_out():
    failed = {
        "kind": "failure",
        **where("A", "now", 1, "path"),
        "solver": "glmnet",
        "why": "crashed",
        "their_threads": 1,
    }
    assert told([run("now"), compared("A", "glmnet", 1.0, 4.0), failed]) == []


def in_class(record, **more):
    return {**record, "group": "classes", "n_outputs": 3, **more}


def missed(problem, solver, why, last=None):
    lost = {"kind": "failure", **where(problem, "now", 1, "path"), "solver": solver, "why": why, "their_threads": 1}
    return in_class({**lost, "last": last})


def test_the_table_of_classes_has_a_column_for_each_program(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- classes: begin -->\nold\n<!-- classes: end -->\nafter\n")
    records = [
        run("now"),
        compared("A", "glmnet", 1.0, 4.0),
        missed("digits", "adelie", "best suboptimality 3.0e-05", {"suboptimality": 3e-5}),
        missed("digits", "scikit-learn", "no answer within 120 s", {"suboptimality": 1e-2}),
        in_class(compared("digits", "glmnet", 2.0, 3.0)),
        in_class(compared("digits", "glmnet", 20.0, 10.0, task="cv")),
        in_class({"kind": "attempt", **where("vowel", "now", 1, "path"), "solver": "glmnet"}, suboptimality=1e-7,
                 seconds=7.0),
        missed("vowel", "normball", "no answer within 120 s"),
    ]  # fmt: skip
    assert not standings.keep(records[:2], page)
    assert "old" in page.read_text()
    assert standings.keep(records, page)
    text = page.read_text()
    assert (text.startswith("before\n"), text.endswith("after\n"), "old" in text) == (True, True, False)
    lines = [line.split(" | ", 4)[3:] for line in text.splitlines() if line.startswith(("| digits", "| vowel"))]
    assert lines == [
        ["path", "1 | 2.000 | 3.000 | (3e-05) | > 120 | 1.50 |"],
        ["path and cross-validation", "1 | 20.0 | 10.0 |  |  | 0.50 |"],
        ["path", "1 | > 120 | 7.000 |  |  |  |"],
    ]
    assert "| digits | binomial | 10 × 2,000 × 3 |" in text
    assert "<!-- classes: begin -->" in tables.PAGE.read_text()


def test_the_page_has_a_place_for_every_table(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text(tables.PAGE.read_text())
    tables.put(page, "fastest", "a table")
    assert "<!-- fastest: begin -->\na table\n<!-- fastest: end -->" in page.read_text()
    assert not report.keep([run("now")], page)
