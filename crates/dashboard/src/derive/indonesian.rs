//! The titles of ready-made dashboards in Indonesian.

use types::Locale;

use crate::document::Dashboard;

/// What a dashboard's description is in both languages.
pub(super) const DESCRIPTION: &str =
    "Derived from the fields and metrics that are present; nobody has to keep it up to date.";
const DESCRIPTION_INDONESIAN: &str =
    "Diturunkan dari bidang dan metrik yang ada; tidak perlu diperbarui oleh siapa pun.";

/// Titles of panels and sections with their Indonesian translations, one pair a row.
const TITLES: &str = include_str!("indonesian.txt");

/// Kinds of subjects, with which titles of dashboards begin.
const KINDS: [(&str, &str); 3] = [("Group ", "Grup "), ("Service ", "Layanan "), ("Host ", "Host ")];

/// Returns a ready-made dashboard in a language; names of metrics, which are titles too, stay as they are.
pub fn in_language(mut dashboard: Dashboard, locale: Locale) -> Dashboard {
    if locale == Locale::English {
        return dashboard;
    }
    if let Some((english, indonesian)) = KINDS.iter().find(|(english, _)| dashboard.title.starts_with(english)) {
        dashboard.title = format!("{indonesian}{}", &dashboard.title[english.len()..]);
    }
    if dashboard.description == DESCRIPTION {
        DESCRIPTION_INDONESIAN.clone_into(&mut dashboard.description);
    }
    for panel in &mut dashboard.panels {
        translate(&mut panel.title);
        panel.section.iter_mut().for_each(translate);
    }
    dashboard
}

fn translate(title: &mut String) {
    if let Some(indonesian) = translation(title) {
        indonesian.clone_into(title);
    }
}

/// Returns the Indonesian translation of a title.
pub(super) fn translation(title: &str) -> Option<&'static str> {
    TITLES.lines().filter_map(|row| row.split_once(" = ")).find(|(english, _)| *english == title).map(|found| found.1)
}
