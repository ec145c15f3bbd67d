//! All that somebody could do to an export, and what has to be said about it.

use super::{Case, Expected, Export, FOREIGN, Found, Holds, Log, Row, WORKSPACE, line, signer};
use send0_verify::Kind;
use serde_json::json;

pub const EVENTS: u64 = 40;
/// Three checkpoints, and three events that are newer.
pub const SIZES: [u64; 3] = [10, 25, 37];

struct Cases {
    log: Log,
    other: Log,
    /// The same up to 20, and otherwise from there on, with everything computed anew.
    fork: Log,
    file: String,
    cases: Vec<Case>,
}

fn forked() -> Log {
    let mut fork = Log::new(WORKSPACE, EVENTS, "as it was");
    fork.rows[19..].iter_mut().for_each(|row| *row = Row::new(WORKSPACE, row.seq, "as it was not"));
    fork
}

impl Cases {
    fn new() -> Self {
        let log = Log::new(WORKSPACE, EVENTS, "as it was");
        let other = Log::new(FOREIGN, EVENTS, "elsewhere");
        let ours = SIZES.map(|size| line(WORKSPACE, &log.checkpoint(size)));
        let file = format!("{}{}{}{}", ours[0], line(FOREIGN, &other.checkpoint(30)), ours[1], ours[2]);
        Self { log, other, fork: forked(), file, cases: vec![] }
    }

    /// Everything, with three events that are not sealed yet.
    fn whole(&self) -> Export {
        self.log.export(1, EVENTS, 37)
    }

    fn add(&mut self, name: &'static str, export: impl Into<String>, checkpoints: &str, expected: Expected) {
        self.cases.push(Case { name, export: export.into(), checkpoints: checkpoints.to_owned(), expected });
    }

    /// Held against the server's file.
    fn case(&mut self, name: &'static str, export: &Export, expected: Expected) {
        let file = self.file.clone();
        self.add(name, export.text(), &file, expected);
    }

    /// The whole export with this change.
    fn changed(&mut self, name: &'static str, change: impl FnOnce(&mut Export), expected: Expected) {
        let export = self.whole().with(change);
        self.case(name, &export, expected);
    }

    /// The text of the whole export with this change.
    fn rewritten(&mut self, name: &'static str, change: impl FnOnce(String) -> String, expected: Expected) {
        let (text, file) = (change(self.whole().text()), self.file.clone());
        self.add(name, text, &file, expected);
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Cases::new();
    sound(&mut cases);
    edited(&mut cases);
    renumbered(&mut cases);
    missing(&mut cases);
    moved(&mut cases);
    foreign(&mut cases);
    history(&mut cases);
    receipts(&mut cases);
    filtered(&mut cases);
    cases.cases
}

fn sound(cases: &mut Cases) {
    cases.changed("nothing", |_| (), Holds(40, 37, 0));
    cases.changed(
        "people erased",
        |export| export.rows.iter_mut().step_by(4).for_each(|row| *row = row.clone().erased()),
        Holds(40, 37, 10),
    );
    let (whole, log) = (cases.whole(), Log::new(WORKSPACE, EVENTS, "as it was"));
    cases.add("one note", whole.text(), &log.checkpoint(37), Holds(40, 37, 0));
    cases.add("an older note", whole.text(), &log.checkpoint(10), Holds(40, 37, 0));
    cases.add("no receipt, and a note", whole.lines(), &log.checkpoint(25), Holds(40, 25, 0));
    cases.add("without the last line feed", whole.text().trim_end(), &log.checkpoint(37), Holds(40, 37, 0));
    cases.add("everything sealed", log.export(1, 40, 40).text(), &log.checkpoint(40), Holds(40, 40, 0));
    cases.case("a part", &log.export(12, 30, 37), Holds(19, 19, 0));
    cases.case("a part that is not sealed yet", &log.export(39, 40, 37), Holds(2, 0, 0));
    cases.add(
        "a part that was sealed later",
        log.export(39, 40, 37).text(),
        &log.checkpoint(40),
        Found(Kind::Fork, 39),
    );
    cases.case("the end of a part is not sealed yet", &log.export(38, 40, 37), Holds(3, 0, 0));
    cases.case("with proofs", &log.proven(40, 37), Holds(40, 37, 0));
    cases.changed("nothing was looked at", Export::nothing, Found(Kind::NoCheckpoint, 0));
    let empty = Log::new(WORKSPACE, 0, "");
    let receipt = json!({"receipt": {"workspace": WORKSPACE, "query": null, "first": null, "last": null, "count": 0,
        "from_prefix": [], "to_suffix": [], "checkpoint": empty.checkpoint(0)}});
    cases.add("a log without events", format!("{receipt}\n"), &empty.checkpoint(0), Holds(0, 0, 0));
    let file = cases.file.clone();
    let (cut, middle) = (&file[..file.len() - 90], file.replacen(&file[..70], &format!("{}\n", &file[..70]), 1));
    cases.add("the last checkpoint breaks off", whole.text(), cut, Holds(40, 37, 0));
    cases.add("the first checkpoint breaks off", whole.text(), &middle, Holds(40, 37, 0));
    cases.add("an empty line between checkpoints", whole.text(), &file.replacen('\n', "\n\n", 1), Holds(40, 37, 0));
    cases.add("the last checkpoint without its line feed", whole.text(), file.trim_end(), Holds(40, 37, 0));
}

fn edited(cases: &mut Cases) {
    let edit = |seq| Found(Kind::Edit, seq);
    cases.changed(
        "a byte of a body",
        |export| export.row(5).body = export.row(5).body.replace("success", "succesS"),
        edit(5),
    );
    cases.changed(
        "a space in a body",
        |export| export.row(5).body = export.row(5).body.replace(",\"note", ", \"note"),
        edit(5),
    );
    cases.changed(
        "a byte of the first body",
        |export| export.row(1).body = export.row(1).body.replace("was", "is"),
        edit(1),
    );
    cases.changed(
        "a byte of the last sealed body",
        |export| export.row(37).body = export.row(37).body.replace("was", "is"),
        edit(37),
    );
    cases.changed(
        "the commitment",
        |export| export.row(6).body = export.row(6).body.replacen("commitment\":\"", "commitment\":\"0", 1),
        edit(6),
    );
    cases.changed(
        "no commitment",
        |export| export.row(6).body = export.row(6).body.replace("commitment", "commitmenu"),
        edit(6),
    );
    cases.changed("no body", |export| export.row(6).body = "null".to_owned(), edit(6));
    cases.changed("the time", |export| export.row(7).time_us += 1, edit(7));
    cases.rewritten("a time that is none", |text| text.replace("05.000007Z", "61.000007Z"), edit(7));
    cases.changed("a number upwards", |export| export.row(8).seq = 9, edit(8));
    cases.changed("a number downwards", |export| export.row(8).seq = 7, edit(8));
    cases.changed("a number to where nothing is", |export| export.row(8).seq = 4000, edit(8));
    cases.changed("the first number", |export| export.row(1).seq = 2, edit(1));
    cases.changed("the leaf", |export| export.row(9).leaf = Some("0".repeat(64)), edit(9));
    cases.changed("a leaf that is no hash", |export| export.row(9).leaf = Some("0".repeat(63)), edit(9));
    cases.changed(
        "a leaf in capitals",
        |export| export.row(9).leaf = export.row(9).leaf.as_ref().map(|leaf| leaf.to_uppercase()),
        edit(9),
    );
    cases.changed("a leaf taken away", |export| export.row(11).leaf = None, edit(11));
    cases.changed("the last leaf taken away", |export| export.row(37).leaf = None, edit(37));
    cases.changed("the salt", |export| export.row(12).salt = Some("0".repeat(64)), edit(12));
    cases.changed("a salt that is none", |export| export.row(12).salt = Some("0g".to_owned()), edit(12));
    cases.changed(
        "the personal data",
        |export| export.row(13).personal = Some(r#"{"actor":"Eve"}"#.to_owned()),
        edit(13),
    );
    cases.changed("only the salt erased", |export| export.row(14).salt = None, edit(14));
    cases.changed("only the personal data erased", |export| export.row(14).personal = None, edit(14));
    cases.changed("personal data not sealed yet", |export| export.row(39).personal = Some("{}".to_owned()), edit(39));
    cases.changed("a proof that is none", |export| export.row(15).proof = Some(vec!["0".repeat(64); 2]), edit(15));
    let unreadable = |seq| Found(Kind::Unreadable, seq);
    cases.rewritten("a field more", |text| text.replacen("{\"seq\":3,", "{\"remark\":1,\"seq\":3,", 1), unreadable(3));
    cases.rewritten("a field twice", |text| text.replacen("{\"seq\":3,", "{\"seq\":3,\"seq\":3,", 1), unreadable(3));
    cases.rewritten("no JSON", |text| text.replacen("{\"seq\":3,", "\"seq\":3,", 1), unreadable(3));
    cases.rewritten("JSON of another kind", |text| text.replacen("{\"seq\":3,", "[]\n{\"seq\":3,", 1), unreadable(3));
    cases.rewritten("a number in words", |text| text.replacen("{\"seq\":3,", "{\"seq\":\"3\",", 1), unreadable(3));
    cases.rewritten("the number 0", |text| text.replacen("{\"seq\":1,", "{\"seq\":0,", 1), unreadable(1));
    cases.rewritten("something behind the receipt", |text| format!("{text}{text}"), unreadable(41));
}

fn renumbered(cases: &mut Cases) {
    let shift = |rows: &mut [Row], by: i64| rows.iter_mut().for_each(|row| row.seq = row.seq.strict_add_signed(by));
    cases.changed(
        "inserted, the others numbered anew",
        |export| {
            shift(&mut export.rows[19..], 1);
            export.rows.insert(19, Row::new(WORKSPACE, 20, "made up"));
            export.fit();
        },
        Found(Kind::Insert, 20),
    );
    cases.changed(
        "three inserted, the others numbered anew",
        |export| {
            shift(&mut export.rows[19..], 3);
            (20..23).for_each(|seq| export.rows.insert(seq as usize - 1, Row::new(WORKSPACE, seq, "made up")));
            export.fit();
        },
        Found(Kind::Insert, 20),
    );
    cases.changed(
        "deleted, the others numbered anew",
        |export| {
            export.rows.remove(19);
            shift(&mut export.rows[19..], -1);
            export.fit();
        },
        Found(Kind::Delete, 20),
    );
    cases.changed(
        "deleted, the others numbered and computed anew",
        |export| {
            export.rows.remove(19);
            shift(&mut export.rows[19..], -1);
            export.rows.iter_mut().filter(|row| row.leaf.is_some()).for_each(|row| *row = row.clone().sealed_anew());
            export.fit();
        },
        Found(Kind::Fork, 11),
    );
}

fn missing(cases: &mut Cases) {
    cases.changed("the first deleted", |export| drop(export.rows.remove(0)), Found(Kind::Delete, 1));
    cases.changed(
        "the first deleted, in the receipt too",
        |export| {
            export.rows.remove(0);
            export.fit();
        },
        Found(Kind::Fork, 2),
    );
    cases.changed("one deleted", |export| drop(export.rows.remove(19)), Found(Kind::Delete, 20));
    cases.changed("ten deleted", |export| drop(export.rows.drain(10..20)), Found(Kind::Delete, 11));
    cases.changed("one deleted that is not sealed yet", |export| drop(export.rows.remove(38)), Found(Kind::Delete, 39));
    cases.changed("the last deleted", |export| drop(export.rows.pop()), Found(Kind::Truncate, 40));
    cases.changed(
        "the last sealed deleted, in the receipt too",
        |export| {
            export.rows.truncate(36);
            export.fit();
        },
        Found(Kind::Fork, 26),
    );
    cases.changed("all events deleted", |export| export.rows.clear(), Found(Kind::Truncate, 1));
    cases.changed(
        "all events deleted, in the receipt too",
        |export| {
            export.rows.clear();
            export.fit();
        },
        Found(Kind::Truncate, 1),
    );
    let (whole, note) = (cases.whole(), cases.log.checkpoint(37));
    cases.add("an empty file", "", &note, Found(Kind::Truncate, 1));
    let file = cases.file.clone();
    cases.add("an empty file of nobody known", "", &file, Found(Kind::NoCheckpoint, 0));
    let lines = whole.lines();
    cases.add(
        "truncated at a line",
        lines.lines().take(30).map(|line| format!("{line}\n")).collect::<String>(),
        &file,
        Found(Kind::Truncate, 31),
    );
    cases.add(
        "truncated within a line",
        &whole.text()[..lines.find("{\"seq\":31,").expect("31") + 40],
        &file,
        Found(Kind::Truncate, 31),
    );
    cases.add("truncated within the receipt", &whole.text()[..lines.len() + 40], &file, Found(Kind::Truncate, 41));
    let rolled_back = cases.log.export(1, 25, 25);
    cases.case("rolled back to an older checkpoint", &rolled_back, Found(Kind::Truncate, 26));
    cases.add("rolled back, but nobody knows better", rolled_back.text(), &cases.log.checkpoint(25), Holds(25, 25, 0));
}

fn moved(cases: &mut Cases) {
    cases.changed("two swapped", |export| export.rows.swap(11, 12), Found(Kind::Reorder, 12));
    cases.changed("the first two swapped", |export| export.rows.swap(0, 1), Found(Kind::Reorder, 1));
    cases.changed("two far apart swapped", |export| export.rows.swap(3, 30), Found(Kind::Reorder, 4));
    cases.changed("the last two swapped", |export| export.rows.swap(38, 39), Found(Kind::Reorder, 39));
    cases.changed("one moved towards the end", |export| export.rows[5..15].rotate_left(1), Found(Kind::Reorder, 6));
    cases.changed("the last moved to the front", |export| export.rows.rotate_right(1), Found(Kind::Reorder, 1));
    cases.changed("one twice", |export| export.rows.insert(8, export.rows[8].clone()), Found(Kind::Insert, 9));
    cases.changed("the first twice", |export| export.rows.insert(0, export.rows[0].clone()), Found(Kind::Insert, 1));
    cases.changed("the last twice", |export| export.rows.push(export.rows[39].clone()), Found(Kind::Insert, 40));
    cases.changed(
        "a later one here too",
        |export| export.rows.insert(8, export.rows[20].clone()),
        Found(Kind::Insert, 21),
    );
    cases.changed(
        "a later one in front too",
        |export| export.rows.insert(0, export.rows[20].clone()),
        Found(Kind::Insert, 21),
    );
    cases.changed(
        "inserted with a number that is there",
        |export| export.rows.insert(9, Row::new(WORKSPACE, 10, "made up")),
        Found(Kind::Insert, 10),
    );
    cases.changed(
        "inserted with a number that cannot be",
        |export| export.rows.insert(9, Row::new(WORKSPACE, 4000, "made up")),
        Found(Kind::Insert, 4000),
    );
    cases.changed(
        "inserted behind the end",
        |export| export.rows.push(Row { leaf: None, ..Row::new(WORKSPACE, 41, "made up") }),
        Found(Kind::Insert, 41),
    );
    cases.changed(
        "another in its place, computed anew",
        |export| *export.row(20) = Row::new(WORKSPACE, 20, "made up"),
        Found(Kind::Fork, 11),
    );
    let early = cases.log.export(12, 30, 37).with(|export| export.rows.insert(0, Row::new(WORKSPACE, 11, "as it was")));
    cases.case("one in front of a part", &early, Found(Kind::Insert, 11));
}

fn foreign(cases: &mut Cases) {
    let theirs = cases.other.rows.clone();
    let note = cases.log.checkpoint(37);
    cases.changed(
        "another workspace's in its place",
        |export| *export.row(20) = theirs[19].clone(),
        Found(Kind::Foreign, 20),
    );
    cases.changed(
        "another workspace's between two",
        |export| export.rows.insert(20, theirs[4].clone()),
        Found(Kind::Foreign, 5),
    );
    cases.changed(
        "another workspace's in front",
        |export| export.rows.insert(0, theirs[2].clone()),
        Found(Kind::Foreign, 3),
    );
    cases.changed(
        "another workspace's under our name",
        |export| {
            *export.row(20) = Row { workspace: WORKSPACE.to_owned(), ..theirs[19].clone() }.sealed_anew();
        },
        Found(Kind::Foreign, 20),
    );
    let (export, theirs) = (cases.other.export(1, 30, 30), cases.other.checkpoint(30));
    cases.add("another workspace's log", export.text(), &note, Found(Kind::Foreign, 1));
    cases.add("another workspace's lines", export.lines(), &note, Found(Kind::Foreign, 1));
    cases.changed("another workspace's receipt", |ours| ours.receipt = export.receipt.clone(), Found(Kind::Foreign, 1));
    cases.changed(
        "another workspace's checkpoint in the receipt",
        |ours| ours.receipt["checkpoint"] = json!(theirs),
        Found(Kind::Resigned, 26),
    );
}

fn history(cases: &mut Cases) {
    let (whole, fork) = (cases.whole(), cases.fork.export(1, EVENTS, 37));
    let note = |log: &Log, size| line(WORKSPACE, &log.checkpoint(size));
    cases.case(
        "a suffix rewritten, with its leaves",
        &whole.clone().with(|export| export.rows = fork.rows.clone()),
        Found(Kind::Fork, 11),
    );
    cases.case("a suffix rewritten, and signed", &fork, Found(Kind::Fork, 11));
    let older = note(&cases.log, 10);
    cases.add("a fork that an older checkpoint does not tell", fork.text(), &older, Holds(40, 37, 0));
    let two = format!("{older}{}{}", note(&cases.log, 25), note(&cases.fork, 25));
    cases.add("two checkpoints of one size", whole.text(), &two, Found(Kind::Resigned, 11));
    let theirs = format!("{older}{}", note(&cases.fork, 37));
    cases.add("a checkpoint of another history in the receipt", whole.text(), &theirs, Found(Kind::Fork, 11));
    let alone = note(&cases.fork, 30) + &note(&cases.log, 37);
    cases.add("a checkpoint of another history in between", whole.text(), &alone, Found(Kind::Fork, 1));
    let part = cases.log.export(12, 40, 37);
    cases.add("a checkpoint of another history within a part", part.text(), &alone, Found(Kind::Fork, 12));
    let edited = cases.log.checkpoint(25).replacen("\n25\n", "\n24\n", 1);
    cases.add(
        "an edited checkpoint",
        whole.text(),
        &format!("{older}{}", line(WORKSPACE, &edited)),
        Found(Kind::Resigned, 11),
    );
    cases.add("an edited note", whole.text(), &edited, Found(Kind::Resigned, 1));
    let resigned = cases.log.checkpoint_by(25, &signer(9));
    cases.add(
        "signed with another key",
        whole.text(),
        &format!("{older}{}", line(WORKSPACE, &resigned)),
        Found(Kind::Resigned, 11),
    );
    cases.add("all signed with another key", whole.text(), &resigned, Found(Kind::Resigned, 1));
    let unsigned = cases.log.checkpoint(25).split_once("\n\n").map(|(text, _)| format!("{text}\n\n")).expect("a note");
    cases.add("no signature", whole.text(), &line(WORKSPACE, &unsigned), Found(Kind::Resigned, 1));
    let borrowed = line(WORKSPACE, &cases.other.checkpoint(20));
    cases.add(
        "another log's checkpoint under our name",
        whole.text(),
        &format!("{older}{borrowed}"),
        Found(Kind::Resigned, 11),
    );
    let rotated = format!("{older}{}", line(WORKSPACE, &cases.log.checkpoint_by(25, &signer(2))));
    cases.add("signed with the next key", whole.text(), &rotated, Holds(40, 37, 0));
    let elsewhere = line(FOREIGN, &cases.other.checkpoint(20)) + &line("wsp_x", &cases.other.checkpoint(20));
    cases.add("no checkpoint of ours but the receipt's", whole.text(), &elsewhere, Holds(40, 37, 0));
    cases.add("no checkpoint of ours at all", whole.lines(), &elsewhere, Found(Kind::NoCheckpoint, 0));
}

fn receipts(cases: &mut Cases) {
    let resigned = cases.log.checkpoint_by(37, &signer(9));
    cases.changed(
        "a receipt signed with another key",
        |export| export.receipt["checkpoint"] = json!(resigned),
        Found(Kind::Resigned, 26),
    );
    let (older, newer, forked) = (cases.log.checkpoint(25), cases.log.checkpoint(40), cases.fork.checkpoint(36));
    cases.changed(
        "a receipt of an older checkpoint",
        |export| export.receipt["checkpoint"] = json!(older),
        Found(Kind::Fork, 26),
    );
    cases.changed(
        "a receipt of a newer checkpoint",
        |export| export.receipt["checkpoint"] = json!(newer),
        Found(Kind::Edit, 38),
    );
    cases.changed(
        "a receipt of another history",
        |export| {
            export.row(37).leaf = None;
            export.receipt["checkpoint"] = json!(forked);
        },
        Found(Kind::Fork, 38),
    );
    cases.changed(
        "no note in the receipt",
        |export| export.receipt["checkpoint"] = json!("none"),
        Found(Kind::Resigned, 1),
    );
    cases.changed("a receipt that counts more", |export| export.receipt["count"] = json!(41), Found(Kind::Delete, 1));
    cases.changed("a receipt that counts fewer", |export| export.receipt["count"] = json!(39), Found(Kind::Insert, 1));
    cases.changed("a receipt that ends earlier", |export| export.receipt["last"] = json!(39), Found(Kind::Insert, 40));
    cases.changed("a receipt that begins later", |export| export.receipt["first"] = json!(2), Found(Kind::Insert, 1));
    cases.changed(
        "a prefix before the first",
        |export| export.receipt["from_prefix"] = json!(["0".repeat(64)]),
        Found(Kind::Fork, 1),
    );
    cases.changed(
        "a suffix behind the end",
        |export| export.receipt["to_suffix"] = json!(["0".repeat(64)]),
        Found(Kind::Fork, 38),
    );
    let fork = cases.fork.export(1, EVENTS, 37).rows;
    cases.changed("a receipt without a checkpoint", Export::untie, Found(Kind::NoCheckpoint, 0));
    cases.changed(
        "an edit, and a receipt without a checkpoint",
        |export| {
            export.row(20).body.insert(1, ' ');
            export.untie();
        },
        Found(Kind::Edit, 20),
    );
    cases.changed(
        "a gap, and a receipt without a checkpoint",
        |export| {
            export.rows.remove(19);
            export.receipt["count"] = json!(39);
            export.untie();
        },
        Found(Kind::Delete, 20),
    );
    cases.changed(
        "the first are missing, and a receipt without a checkpoint",
        |export| {
            export.rows.drain(..5);
            export.receipt["count"] = json!(35);
            export.untie();
        },
        Found(Kind::Delete, 1),
    );
    cases.changed(
        "another history, and a receipt without a checkpoint",
        |export| {
            export.rows = fork;
            export.untie();
        },
        Found(Kind::Fork, 11),
    );
    cases.changed(
        "no event, and a receipt that looked at some",
        |export| {
            export.rows.clear();
            export.receipt["count"] = json!(0);
            export.untie();
        },
        Found(Kind::Truncate, 1),
    );
    cases.changed(
        "a receipt of nothing that counts",
        |export| {
            export.nothing();
            export.receipt["count"] = json!(3);
        },
        Found(Kind::Truncate, 1),
    );
    cases.changed(
        "a receipt of nothing behind events",
        |export| {
            let rows = export.rows.clone();
            export.nothing();
            export.rows = rows;
        },
        Found(Kind::Insert, 1),
    );
    let part = cases.log.export(12, 30, 37);
    let zero = "0".repeat(64);
    let spoilt = |field: &str, at: usize| part.clone().with(|part| part.receipt[field][at] = json!(zero));
    cases.case("another prefix", &spoilt("from_prefix", 1), Found(Kind::Fork, 12));
    cases.case("another suffix", &spoilt("to_suffix", 0), Found(Kind::Fork, 26));
    cases.case("no suffix", &part.clone().with(|part| part.receipt["to_suffix"] = json!([])), Found(Kind::Fork, 26));
    cases.case("no prefix", &part.clone().with(|part| part.receipt["from_prefix"] = json!([])), Found(Kind::Fork, 12));
    cases.case(
        "an event of a part",
        &part.clone().with(|part| part.row(20).body.insert(1, ' ')),
        Found(Kind::Edit, 20),
    );
    cases.case(
        "an event of a part deleted",
        &part.clone().with(|part| drop(part.rows.remove(3))),
        Found(Kind::Delete, 15),
    );
    cases.case(
        "an event of a part anew",
        &part.clone().with(|part| *part.row(20) = Row::new(WORKSPACE, 20, "x")),
        Found(Kind::Fork, 12),
    );
    let made_up = |first, last| Log::new(WORKSPACE, EVENTS, "made up").export(first, last, 10);
    let genuine = json!(cases.log.checkpoint(10));
    for (name, first, last) in [
        ("a part made up under an older checkpoint", 12, 37),
        ("a part made up under an older checkpoint, to beyond the end", 12, 40),
        ("a part made up right behind a checkpoint", 26, 30),
    ] {
        let export = made_up(first, last).with(|export| export.receipt["checkpoint"] = genuine.clone());
        cases.case(name, &export, Found(Kind::Fork, first));
    }
    let (text, file) = (part.lines(), cases.file.clone());
    cases.add("a part without a receipt", text, &file, Found(Kind::Delete, 1));
    cases.rewritten(
        "a receipt with a field more",
        |text| text.replacen("{\"receipt\":{", "{\"receipt\":{\"remark\":1,", 1),
        Found(Kind::Unreadable, 41),
    );
}

fn filtered(cases: &mut Cases) {
    let export = cases.log.filtered(37);
    cases.case("filtered", &export, Holds(12, 12, 0));
    cases.case(
        "filtered, with an end that is not sealed yet",
        &export.clone().with(|export| {
            export.rows.push(Row { leaf: None, ..Row::new(WORKSPACE, 39, "as it was") });
            export.receipt["last"] = json!(40);
            export.fit();
        }),
        Holds(13, 12, 0),
    );
    cases.case(
        "filtered, an end that is not sealed yet, changed",
        &export.clone().with(|export| {
            export.rows.push(Row { leaf: None, salt: None, ..Row::new(WORKSPACE, 39, "as it was") });
            export.receipt["last"] = json!(40);
            export.fit();
        }),
        Found(Kind::Edit, 39),
    );
    cases.add(
        "filtered, of a log of one event",
        Log::new(WORKSPACE, 1, "as it was").proven(1, 1).with(|export| export.receipt["query"] = json!("a")).text(),
        &Log::new(WORKSPACE, 1, "as it was").checkpoint(1),
        Holds(1, 1, 0),
    );
    cases.case(
        "filtered, people erased",
        &export.clone().with(|export| *export.row(9) = export.row(9).clone().erased()),
        Holds(12, 12, 1),
    );
    cases.case(
        "filtered, without proofs",
        &export.clone().with(|export| export.rows.iter_mut().for_each(|row| row.proof = None)),
        Found(Kind::Edit, 3),
    );
    cases.case(
        "filtered, one without its proof",
        &export.clone().with(|export| export.row(9).proof = None),
        Found(Kind::Edit, 9),
    );
    cases.case(
        "filtered, one without its leaf",
        &export.clone().with(|export| export.row(36).leaf = None),
        Found(Kind::Edit, 36),
    );
    cases.case(
        "filtered, without a checkpoint",
        &export.clone().with(|export| {
            export.rows.iter_mut().for_each(|row| row.proof = None);
            export.untie();
        }),
        Found(Kind::NoCheckpoint, 0),
    );
    cases.case(
        "filtered, nothing found",
        &export.clone().with(|export| {
            export.rows.clear();
            export.fit();
        }),
        Holds(0, 0, 0),
    );
    cases.case("filtered, nothing was looked at", &export.clone().with(Export::nothing), Found(Kind::NoCheckpoint, 0));
    cases.case(
        "filtered, made up under an older checkpoint",
        &cases.log.filtered(25).with(|export| {
            export.rows.push(Row { leaf: None, ..Row::new(WORKSPACE, 30, "made up") });
            export.receipt["last"] = json!(37);
            export.fit();
        }),
        Found(Kind::Edit, 30),
    );
    cases.case(
        "filtered, everything gone",
        &export.clone().with(|export| export.rows.clear()),
        Found(Kind::Truncate, 1),
    );
    cases.case(
        "filtered, an edit",
        &export.clone().with(|export| export.row(9).body.insert(1, ' ')),
        Found(Kind::Edit, 9),
    );
    cases.case(
        "filtered, an edit computed anew",
        &export.clone().with(|export| {
            let proof = export.row(9).proof.clone();
            *export.row(9) = Row { proof, ..Row::new(WORKSPACE, 9, "made up") };
        }),
        Found(Kind::Edit, 9),
    );
    cases.case(
        "filtered, the first computed anew",
        &export.clone().with(|export| {
            let proof = export.row(3).proof.clone();
            *export.row(3) = Row { proof, ..Row::new(WORKSPACE, 3, "made up") };
        }),
        Found(Kind::Edit, 6),
    );
    cases.case(
        "filtered, of another history",
        &cases.fork.filtered(37).with(|fork| fork.receipt["checkpoint"] = json!(cases.log.checkpoint(37))),
        Found(Kind::Fork, 3),
    );
    cases.case("filtered, signed in another history", &cases.fork.filtered(37), Found(Kind::Resigned, 26));
    cases.case("filtered, swapped", &export.clone().with(|export| export.rows.swap(2, 3)), Found(Kind::Reorder, 9));
    cases.case(
        "filtered, one twice",
        &export.clone().with(|export| export.rows.insert(3, export.rows[3].clone())),
        Found(Kind::Insert, 12),
    );
    cases.case(
        "filtered, one less",
        &export.clone().with(|export| drop(export.rows.remove(3))),
        Found(Kind::Delete, 1),
    );
    cases.case(
        "filtered, the last less",
        &export.clone().with(|export| drop(export.rows.pop())),
        Found(Kind::Delete, 1),
    );
    cases.case(
        "filtered, a receipt that counts fewer",
        &export.clone().with(|export| export.receipt["count"] = json!(11)),
        Found(Kind::Insert, 3),
    );
    cases.case(
        "filtered, one before what was looked at",
        &export.clone().with(|export| export.receipt["first"] = json!(4)),
        Found(Kind::Insert, 3),
    );
    cases.case(
        "filtered, one behind what was looked at",
        &export.clone().with(|export| export.receipt["last"] = json!(35)),
        Found(Kind::Insert, 36),
    );
    cases.case(
        "a deletion passed off as a search",
        &cases.log.proven(40, 37).with(|export| {
            export.rows.remove(19);
            export.receipt["query"] = json!("");
            export.fit();
        }),
        Holds(39, 36, 0),
    );
}
