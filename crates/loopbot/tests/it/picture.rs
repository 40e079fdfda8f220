//! What all pictures have in common: three forms, ids of their own, saving.

use loopbot::prelude::*;

fn pictures() -> Vec<Picture> {
    let timeline = Timeline::new("lanes");
    timeline.run("a", || ());
    let load = CoreLoad::of([(0.1, 0.9)], Duration::from_secs(1));
    let found = explore(|| explore::thread::spawn(|| 1).join().map_err(|_| ()));
    vec![
        timeline.picture(),
        load.picture(),
        found.picture(),
        found.losing(|_| true).picture(),
        found.losing(|_| false).picture(),
        Comparison::new("ways", [("a", vec![Duration::from_millis(3)])]).picture(),
        Comparison::new("none", Vec::<(&str, _)>::new()).picture(),
        CoreLoad::of([], Duration::ZERO).picture(),
        Timeline::new("empty").picture(),
    ]
}

/// Values of `id="…"`.
fn ids(svg: &str) -> Vec<&str> {
    svg.split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn every_picture_is_well_formed_and_says_what_it_is() {
    for picture in pictures() {
        let (svg, html) = (picture.svg(), picture.html());
        assert!(
            svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 "),
            "{svg}"
        );
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<title>") && svg.contains("<desc>"),
            "{svg}"
        );
        assert!(
            svg.contains("fill=\"#ffffff\""),
            "it must stand alone on white"
        );
        assert!(
            html.contains("<details>") && html.contains("<table>") && html.contains("dir=\"ltr\"")
        );
        assert!(
            !html.contains("fill=\"#ffffff\""),
            "it must take the page's background"
        );
        for text in [&svg, &html] {
            assert!(
                !text.contains("<style")
                    && !text.contains('@')
                    && !text.contains("NaN")
                    && !text.contains("#010203")
            );
            let opened = text.matches("<svg").count() + text.matches("<defs>").count();
            assert_eq!(
                opened,
                text.matches("</svg>").count() + text.matches("</defs>").count()
            );
        }
        for id in ids(&svg) {
            assert!(svg.contains(&format!("pattern id=\"{id}\"")), "{id}");
        }
        assert!(!picture.text().is_empty());
    }
}

#[test]
fn two_pictures_share_no_ids() {
    let mut all = std::collections::HashSet::new();
    for picture in pictures() {
        let svg = picture.svg();
        for id in ids(&svg) {
            assert!(all.insert(id.to_owned()), "{id} twice");
        }
        for used in svg
            .split("url(#")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            assert!(ids(&svg).contains(&used), "{used} is not defined");
        }
    }
}

#[test]
fn saving_writes_the_file_or_says_why_not() {
    let folder = std::env::temp_dir().join(format!("loopbot-picture-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let picture = &pictures()[0];
    let file = folder.join("lanes.svg");
    picture.save(&file).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), picture.svg());
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    let error = picture.save(folder.join("no/such/folder.svg")).unwrap_err();
    assert!(error.to_string().contains("folder.svg") && format!("{error:?}") == error.to_string());
    std::fs::remove_dir_all(&folder).unwrap();
}
