//! Tariffs of a closing fiscal year copied for the next one: a text for people to go through, not yet in force.

use super::month::Month;
use super::tariff::Tariffs;

/// A block of the text: its heading with everything until the next one.
fn blocks(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("[[") && at > 0 {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    starts.windows(2).filter_map(|pair| text.get(*pair.first()?..*pair.get(1)?)).collect()
}

/// Where the value of a key stands: from the `=` of the line that begins with it to where it ends.
fn value_of<'a>(block: &'a str, key: &str) -> Option<&'a str> {
    let mut at = 0;
    for line in block.split_inclusive('\n') {
        let rest = line.trim_start().strip_prefix(key).map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with('=')) {
            let from = block.get(at + line.find('=')? + 1..)?;
            let braced = from.trim_start().starts_with('{');
            let end = if braced { from.find('}')? + 1 } else { from.find('\n').unwrap_or(from.len()) };
            return from.get(..end);
        }
        at += line.len();
    }
    None
}

/// The text with every tariff that ends with the fiscal year copied for the next one, under its code with that
/// year, and every programme that ends with it going on for a year. `None`: nothing ends with the year, or the text
/// is not written so that it can be copied.
#[must_use]
pub fn for_next_year(text: &str, fiscal_year: i32) -> Option<String> {
    let next = Month::april(fiscal_year + 1).first();
    let (end, later) = (format!("\"{next}\""), format!("\"{}\"", Month::april(fiscal_year + 2).first()));
    let (mut kept, mut copies) = (String::new(), String::new());
    for block in blocks(text) {
        let heading = block.lines().find(|line| line.trim_start().starts_with("[["));
        let heading = heading.map_or("", str::trim);
        let effective = value_of(block, "effective")
            .filter(|value| value.split_once("before").is_some_and(|(_, before)| before.contains(&end)));
        let Some(effective) = effective else {
            kept.push_str(block);
            continue;
        };
        if heading.starts_with("[[program]]") {
            kept.push_str(&block.replacen(effective, &effective.replace(&end, &later), 1));
            continue;
        }
        kept.push_str(block);
        if !heading.starts_with("[[tariff]]") {
            continue;
        }
        let code = value_of(block, "code")?;
        let name = code.trim().trim_matches('"');
        let name = name.strip_suffix(&format!("-{fiscal_year}")).unwrap_or(name);
        let dates = format!(" {{ from = {end}, before = {later} }}");
        let copy = block.replacen(effective, &dates, 1);
        let copy = copy.replacen(code, &format!(" \"{name}-{}\"", fiscal_year + 1), 1);
        copies.push_str(copy.trim_end());
        copies.push_str("\n\n");
    }
    if copies.is_empty() {
        return None;
    }
    let draft = format!("{}\n\n# {}\n{copies}", kept.trim_end(), Month::april(fiscal_year + 1));
    Tariffs::parse("draft", &draft, "draft").ok().map(|_| draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../config/tariffs.toml");

    fn day(text: &str) -> crate::domain::calendar::CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn tariffs_that_end_with_the_year_go_on_under_codes_of_the_next() {
        let text = "# amounts of the ordinance\n[[program]]\ncode = \"p\"\nname = \"事業\"\nfunder = \"青葉市\"\n\
            effective = { from = \"2026-04-01\", before = \"2027-04-01\" }\n\
            [[tariff]]\ncode = \"A\"\nname = \"相談\"\nprogram = \"p\"\nside = \"acceptor\"\nevent = \"consult\"\n\
            effective = { from = \"2026-10-01\", before = \"2027-04-01\" } # half a year\nunit = \"event\"\nyen = 2000\n\
            [[tariff]]\ncode = \"B\"\nname = \"夏\"\nprogram = \"p\"\nside = \"requester\"\nevent = \"consult\"\n\
            effective = { from = \"2026-07-01\", before = \"2026-09-01\" }\nunit = \"event\"\nyen = 1\n";
        let before = Tariffs::parse("t", text, "1").unwrap();
        let draft = for_next_year(text, 2026).unwrap();
        let after = Tariffs::parse("t", &draft, "2").unwrap();
        let codes: Vec<String> = after.all().iter().map(|t| t.code.to_string()).collect();
        assert_eq!(codes, ["A", "A-2027", "B"]);
        assert_eq!(after.all()[0], before.all()[0], "what is in force is not touched");
        let copy = &after.all()[1];
        assert_eq!(
            (copy.from, copy.before, copy.amount),
            (day("2027-04-01"), day("2028-04-01"), before.all()[0].amount)
        );
        assert_eq!(after.programs()[&"p".parse().unwrap()].before, day("2028-04-01"));
        // And the year after that.
        let again = Tariffs::parse("t", &for_next_year(&draft, 2027).unwrap(), "3").unwrap();
        assert!(again.all().iter().any(|t| t.code.as_str() == "A-2028"));
        assert_eq!(for_next_year(text, 2030), None);
        assert_eq!(for_next_year("", 2026), None);
    }

    #[test]
    fn the_sample_file_can_be_copied_for_the_year_after_its_last() {
        let sample = Tariffs::parse("t", SAMPLE, "1").unwrap();
        let ends = sample.all().iter().map(|t| t.before).max().unwrap();
        let draft = for_next_year(SAMPLE, ends.year() - 1).unwrap();
        assert!(Tariffs::parse("t", &draft, "2").unwrap().all().len() > sample.all().len());
    }
}
