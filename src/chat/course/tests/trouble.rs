use super::*;

#[test]
fn a_failure_says_what_was_wanted_and_what_came() {
    let played = say("< 220 / < 250-x", "220 hi\r\n250 no\r\nrest", None);
    let trouble = played.trouble();
    assert_eq!((trouble.place.line, &*trouble.step), (2, "< 250-x"));
    assert_eq!(trouble.wanted, "a line that starts with \"250-x\"");
    assert_eq!(trouble.got, b"250 no");
    assert_eq!(trouble.nearest.as_deref(), Some("\"250\" fits the first 3 of 5 bytes"));
    assert_eq!(trouble.looked_at, 12);
    assert_eq!(played.verdict.unread, b"250 no\r\nrest");
}

#[test]
fn a_failure_shows_the_rest_of_what_was_heard() {
    let played = say("= ok", "oh what a day", None);
    assert_eq!(
        (played.trouble().got.as_slice(), played.trouble().wanted.as_str()),
        (&b"oh what a day"[..], "the line \"ok\"")
    );
    let long = "x".repeat(1000);
    let played = say(&format!("= {long}y"), &format!("{long}z{long}\n"), None);
    assert_eq!(played.trouble().got, [&long[..200], "z", &long[..199]].concat().as_bytes());
}

#[test]
fn the_nearest_thing_that_was_skipped_is_told() {
    let played = say("~ ^250 ok$", "220 hi\n250 no\n", SAID);
    let trouble = played.trouble();
    assert_eq!(trouble.wanted, "a line that fits ^250 ok$");
    assert_eq!(trouble.got, b"220 hi\n250 no\n");
    assert_eq!(trouble.nearest.as_deref(), Some("\"250 \" fits ^250 , the beginning of ^250 ok$"));
    let played = say("~~ login: $", "log in", None);
    assert_eq!(played.trouble().nearest.as_deref(), Some("\"log\" fits log, the beginning of login: $"));
    assert_eq!(say("~ x", "abc\n", SAID).trouble().nearest, None);
}

#[test]
fn what_is_there_without_its_end_is_told() {
    let nearest = |steps, heard| say(steps, heard, None).trouble().nearest.clone().unwrap();
    let told = "\"login: \" is there, but its line has not ended; << waits for no end";
    for steps in ["< login:\\s", "= login:\\s"] {
        assert_eq!(nearest(steps, "login: "), told);
    }
    let told = "\"login: \" fits, but its line has not ended; ~~ waits for no end";
    for steps in ["~ login: $", "~1 login: $", "? login: $ -> L / :L"] {
        assert_eq!(nearest(steps, "login: "), told);
    }
    assert!(nearest(".term X / ~ login", "login").contains("its unit has not ended"));
    assert_eq!(nearest("= ok", "okay\n"), "\"ok\" is all of it, and more follows");
}

#[test]
fn what_was_forbidden_names_the_step_that_forbids_it() {
    let played = say("! ^5 / < 220 / ~ ^250", "220\n100\n550 no\n250\n", None);
    let trouble = played.trouble();
    assert_eq!((trouble.place.line, trouble.wanted.as_str()), (3, "nothing that fits ^5"));
    assert_eq!(
        (trouble.got.as_slice(), trouble.why.as_deref()),
        (&b"550 no"[..], Some("line 1 of test.chat forbids it"))
    );
}

#[test]
fn only_the_last_of_much_is_shown() {
    let much = "0123456789".repeat(1000);
    for steps in ["~~ x", "~ x", "<# 20000", "<$"] {
        let played = say(steps, &much, None);
        assert_eq!(played.verdict.outcome, Outcome::Timeout);
        assert_eq!(
            (played.trouble().got.as_slice(), played.trouble().looked_at),
            (&much.as_bytes()[9600..], 10_000),
            "{steps}"
        );
    }
}

#[test]
fn a_reset_says_why() {
    let played = say("~ x", "abc\nde", cut());
    assert_eq!(
        (&played.verdict.outcome, played.trouble().why.as_deref()),
        (&Outcome::Cut, Some("Connection reset by peer"))
    );
}

#[test]
fn what_a_driver_cannot_do_ends_at_its_step() {
    let now = Instant::now();
    let mut course = Course::new(script("> a\n>@ /no/such/file\n> b"), settings(), now);
    course.next(now);
    assert_eq!(course.next(now), Need::SayFile("/no/such/file".into(), None));
    course.failed(Outcome::Failed, "No such file or directory");
    let Need::Over(verdict) = course.next(now) else { panic!("it is over") };
    let trouble = verdict.trouble.unwrap();
    assert_eq!((trouble.place.line, trouble.why.as_deref()), (2, Some("No such file or directory")));
}

#[test]
fn what_a_driver_cannot_do_in_time_has_waited_for_so_long() {
    let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(3));
    for (steps, outcome) in [("> a", Outcome::Timeout), (".starttls", Outcome::Failed), ("< a", Outcome::Cut)]
    {
        let mut course = Course::new(script(steps), settings(), now);
        course.next(now);
        course.failed(outcome.clone(), "first");
        course.failed(Outcome::Timeout, "second");
        let Need::Over(verdict) = course.next(later) else { panic!("it is over") };
        let trouble = verdict.trouble.unwrap();
        assert_eq!((&verdict.outcome, trouble.why.as_deref()), (&outcome, Some("first")));
        assert!(trouble.waited >= Duration::from_secs(3), "{steps}: {:?}", trouble.waited);
    }
}
