//! The paused clock: exact times, timelines that show them, and where it can be used.

use loopbot::prelude::*;
use tokio::time::sleep;

const STAGE: Duration = Duration::from_millis(600);

#[test]
fn twenty_pages_take_24_seconds_or_12_6() {
    let (_, one_by_one) = virtual_time(async {
        for _ in 0..20 {
            sleep(STAGE).await;
            sleep(STAGE).await;
        }
    });
    assert_eq!(one_by_one, Duration::from_secs(24));

    let timeline = Timeline::new("a queue between two tasks");
    let (pages, piped) = virtual_time(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let download = tokio::spawn(timeline.task("download", async move {
            for page in 0..20 {
                sleep(STAGE).await;
                sender.send(page).await.unwrap();
            }
        }));
        let upload = tokio::spawn(timeline.task("upload", async move {
            let mut pages = 0;
            while receiver.recv().await.is_some() {
                sleep(STAGE).await;
                pages += 1;
            }
            pages
        }));
        download.await.unwrap();
        upload.await.unwrap()
    });
    assert_eq!((pages, piped), (20, Duration::from_millis(12_600)));
    let recording = timeline.recording();
    assert!(recording.virtual_time);
    assert_eq!(recording.total(), Duration::from_millis(12_600));
    assert_eq!(
        recording.lane("download").unwrap().lifetime(),
        Duration::from_secs(12)
    );
    assert!(
        timeline.verdict()[0].contains("took 12.6 s of virtual time"),
        "{:?}",
        timeline.verdict()
    );
}

#[test]
fn it_works_inside_a_runtime_and_borrows() {
    let name = String::from("egg");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (text, took) = runtime.block_on(async {
        virtual_time(async {
            sleep(Duration::from_secs(300)).await;
            name.clone()
        })
    });
    assert_eq!((text, took), (name, Duration::from_secs(300)));
}

#[test]
fn a_panic_comes_out() {
    let run = || virtual_time(async { std::panic::resume_unwind(Box::new("tray")) });
    let panic = std::panic::catch_unwind(|| -> ((), Duration) { run() }).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"tray"));
}

#[test]
fn measured_and_threaded_inside_it_is_virtual_too() {
    let timeline = Timeline::new("a thread in virtual time");
    virtual_time(async {
        let (_, took) = measure_async(sleep(STAGE)).await;
        assert_eq!(took.to_string(), "0.60 s");
        timeline.run("here", || ());
        timeline.thread("there", || ()).join().unwrap();
    });
    let recording = timeline.recording();
    assert_eq!(recording.total(), Duration::ZERO);
    assert!(recording.virtual_time);
}
