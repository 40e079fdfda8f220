//! The few words that a page says itself, in the languages of the lessons. Others get the English ones.

/// All words of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    /// How these words are written: `ltr` or `rtl`.
    pub(crate) direction: &'static str,
    /// Titles of the five kinds of alerts: note, tip, important, warning, caution.
    pub(crate) alerts: [&'static str; 5],
    pub(crate) skip: &'static str,
    pub(crate) contents: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) minutes: &'static str,
    pub(crate) needs: &'static str,
    pub(crate) goals: &'static str,
    pub(crate) section_link: &'static str,
    pub(crate) cell: &'static str,
    pub(crate) not_run: &'static str,
    pub(crate) show_code: &'static str,
    pub(crate) exercise: &'static str,
    pub(crate) check: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) solution: &'static str,
    pub(crate) teacher_note: &'static str,
    pub(crate) done: &'static str,
    pub(crate) not_yet: &'static str,
    pub(crate) meant_to_fail: &'static str,
    pub(crate) standard_error: &'static str,
    /// Followed by a number and then by `more_lines_after`.
    pub(crate) more_lines: &'static str,
    pub(crate) more_lines_after: &'static str,
    pub(crate) lines_left_out: &'static str,
    pub(crate) as_text: &'static str,
    pub(crate) picture: &'static str,
    pub(crate) picture_missing: &'static str,
    pub(crate) script_left_out: &'static str,
    pub(crate) part_left_out: &'static str,
    pub(crate) cannot_show: &'static str,
    pub(crate) raw: &'static str,
    /// Followed by the notebook's name.
    pub(crate) made_from: &'static str,
}

/// The words for a language tag (`fa`, `fa-IR`).
pub(crate) fn labels(language: &str) -> &'static Labels {
    match primary(language) {
        "fa" => &PERSIAN,
        "ru" => &RUSSIAN,
        _ => &ENGLISH,
    }
}

/// `rtl` for languages written from right to left.
pub(crate) fn direction(language: &str) -> &'static str {
    match primary(language) {
        "ar" | "ckb" | "dv" | "fa" | "he" | "ps" | "sd" | "ug" | "ur" | "yi" => "rtl",
        _ => "ltr",
    }
}

fn primary(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or_default()
}

static ENGLISH: Labels = Labels {
    direction: "ltr",
    alerts: ["Note", "Tip", "Important", "Warning", "Caution"],
    skip: "Skip to the text",
    contents: "Contents",
    theme: "Light or dark",
    copy: "Copy",
    copied: "Copied",
    minutes: "minutes",
    needs: "After",
    goals: "After this lesson you can",
    section_link: "Link to this section",
    cell: "Cell",
    not_run: "This cell was not run.",
    show_code: "The code of this cell",
    exercise: "Exercise",
    check: "Check",
    hint: "Hint",
    solution: "Solution",
    teacher_note: "For teachers",
    done: "done",
    not_yet: "not yet",
    meant_to_fail: "Meant to fail",
    standard_error: "Standard error",
    more_lines: "Show",
    more_lines_after: "more lines",
    lines_left_out: "lines left out here; they are in the notebook",
    as_text: "As text",
    picture: "Picture shown by this cell",
    picture_missing: "this page does not carry the picture:",
    script_left_out: "This output brought a script along. Exported pages run no scripts, so it was left out.",
    part_left_out: "Part of this output was left out, because it would have been fetched from elsewhere.",
    cannot_show: "This output is of a kind that a page cannot show; open the notebook to see it:",
    raw: "Raw text",
    made_from: "Made with LoopBot from",
};

static PERSIAN: Labels = Labels {
    direction: "rtl",
    alerts: ["نکته", "پیشنهاد", "مهم", "هشدار", "احتیاط"],
    skip: "رفتن به متن",
    contents: "فهرست",
    theme: "روشن یا تیره",
    copy: "رونوشت",
    copied: "رونوشت شد",
    minutes: "دقیقه",
    needs: "پس از",
    goals: "پس از این درس می‌توانید",
    section_link: "پیوند به این بخش",
    cell: "خانهٔ",
    not_run: "این خانه اجرا نشده است.",
    show_code: "کد این خانه",
    exercise: "تمرین",
    check: "بررسی",
    hint: "راهنمایی",
    solution: "پاسخ",
    teacher_note: "برای آموزگار",
    done: "انجام شد",
    not_yet: "هنوز نه",
    meant_to_fail: "باید خطا بدهد",
    standard_error: "خروجی خطا",
    more_lines: "نمایش",
    more_lines_after: "خط دیگر",
    lines_left_out: "خط اینجا نیامده است؛ در دفترچه هست",
    as_text: "به صورت متن",
    picture: "تصویری که این خانه نشان داده است",
    picture_missing: "این صفحه تصویر را همراه ندارد:",
    script_left_out: "این خروجی یک اسکریپت داشت. صفحه‌های خروجی اسکریپتی اجرا نمی‌کنند؛ پس کنار گذاشته شد.",
    part_left_out: "بخشی از این خروجی کنار گذاشته شد، چون باید از جای دیگری گرفته می‌شد.",
    cannot_show: "صفحه نمی‌تواند این نوع خروجی را نشان دهد؛ برای دیدنش دفترچه را باز کنید:",
    raw: "متن خام",
    made_from: "ساخته شده با LoopBot از",
};

static RUSSIAN: Labels = Labels {
    direction: "ltr",
    alerts: ["Заметка", "Совет", "Важно", "Внимание", "Осторожно"],
    skip: "К тексту",
    contents: "Содержание",
    theme: "Светлая или тёмная тема",
    copy: "Копировать",
    copied: "Скопировано",
    minutes: "минут",
    needs: "После",
    goals: "После этого урока вы сможете",
    section_link: "Ссылка на этот раздел",
    cell: "Ячейка",
    not_run: "Эта ячейка не запускалась.",
    show_code: "Код этой ячейки",
    exercise: "Упражнение",
    check: "Проверка",
    hint: "Подсказка",
    solution: "Решение",
    teacher_note: "Для преподавателя",
    done: "готово",
    not_yet: "пока нет",
    meant_to_fail: "Должна завершиться ошибкой",
    standard_error: "Поток ошибок",
    more_lines: "Показать ещё строк:",
    more_lines_after: "",
    lines_left_out: "строк здесь опущено; они есть в тетради",
    as_text: "Текстом",
    picture: "Картинка, показанная этой ячейкой",
    picture_missing: "на этой странице нет картинки:",
    script_left_out: "В этом выводе был скрипт. Страницы не запускают скриптов, поэтому он опущен.",
    part_left_out: "Часть этого вывода опущена: её пришлось бы загружать извне.",
    cannot_show: "Страница не может показать вывод такого вида; откройте тетрадь:",
    raw: "Необработанный текст",
    made_from: "Сделано в LoopBot из",
};
