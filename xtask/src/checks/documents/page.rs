//! A page of Markdown as a list of steps. Each fenced block of `sql` or `sh` runs in a session of its
//! own. A block without a language right below it is the expected answer; if no such block follows,
//! the expected answer is empty. `-- as ROLE` in the first line of an SQL block sets the role.
//!
//! HTML comments, invisible to readers, steer the run:
//!
//! | comment | effect |
//! |---|---|
//! | `<!-- not run: WHY -->` | the next block is only shown |
//! | `<!-- numbers vary: WHY -->` | numbers in the next block's answer are not compared |
//! | `<!-- meanwhile: SQL -->` | a transaction that has run this SQL stays open while the next block runs |
//! | `<!-- database: NAME -->` | later steps run in this database, which is created if it is missing |
//! | `<!-- run: SQL -->` | the superuser runs this SQL, and it must succeed |

use std::ops::Range;

use anyhow::{Context, Result, bail};

const FENCE: &str = "```";

/// The steps of a page.
#[derive(Debug)]
pub struct Page {
    pub steps: Vec<Step>,
}

/// One step of a page.
#[derive(Debug)]
pub enum Step {
    Block(Block),
    Hidden { line: usize, statements: String },
    Database(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Sql,
    Shell,
}

/// The commands of a block and the answer that the page shows.
#[derive(Debug)]
pub struct Block {
    pub language: Language,
    /// The line of the opening fence, counted from one.
    pub line: usize,
    pub text: String,
    pub role: Option<String>,
    pub expected: String,
    pub not_run: Option<String>,
    pub numbers_vary: bool,
    pub meanwhile: Option<String>,
    /// The lines of the page that hold the answer, its fences included. If the page shows no answer,
    /// the range is empty and starts below the block.
    answer_lines: Range<usize>,
}

/// A fenced block of the page, unchanged.
struct Fenced<'text> {
    language: &'text str,
    body: Vec<&'text str>,
    /// Its lines, fences included.
    lines: Range<usize>,
}

/// The remarks of comments about the next block.
#[derive(Default)]
struct Remarks {
    line: usize,
    not_run: Option<String>,
    numbers_vary: bool,
    meanwhile: Option<String>,
}

impl Remarks {
    fn are_none(&self) -> bool {
        self.not_run.is_none() && !self.numbers_vary && self.meanwhile.is_none()
    }
}

impl Page {
    pub fn parse(text: &str) -> Result<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let mut steps = Vec::new();
        let mut remarks = Remarks::default();
        let mut place = 0;
        while let Some(line) = lines.get(place) {
            if line.starts_with("<!--") {
                let (comment, next) = comment(&lines, place)?;
                note(&comment, place + 1, &mut remarks, &mut steps);
                place = next;
            } else if line.starts_with(FENCE) {
                let found = fenced(&lines, place)?;
                place = found.lines.end;
                if let Some(language) = language(&found)? {
                    let answer = answer(&lines, place)?;
                    place = answer.as_ref().map_or(place, |answer| answer.lines.end);
                    let remarks = std::mem::take(&mut remarks);
                    steps.push(Step::Block(block(language, &found, answer, remarks)));
                } else {
                    no_remarks(&remarks)?;
                }
            } else {
                if !line.trim().is_empty() {
                    no_remarks(&remarks)?;
                }
                place += 1;
            }
        }
        no_remarks(&remarks)?;
        Ok(Self { steps })
    }
}

/// Fails if a remark is left over: it must come right before the block that it is about.
fn no_remarks(remarks: &Remarks) -> Result<()> {
    if !remarks.are_none() {
        bail!("the comment in line {} is not right before a block that runs", remarks.line);
    }
    Ok(())
}

/// The text of the comment that begins in line `start`, and the number of the line after it.
fn comment(lines: &[&str], start: usize) -> Result<(String, usize)> {
    let end = (start..lines.len())
        .find(|place| lines[*place].contains("-->"))
        .with_context(|| format!("the comment in line {} does not end", start + 1))?;
    let text = lines[start..=end].join("\n");
    let text = text.trim_start_matches("<!--");
    Ok((text[..text.find("-->").unwrap_or(text.len())].trim().to_owned(), end + 1))
}

fn note(comment: &str, line: usize, remarks: &mut Remarks, steps: &mut Vec<Step>) {
    let Some((word, rest)) = comment.split_once(':') else { return };
    let rest = rest.trim().to_owned();
    match word {
        "run" => steps.push(Step::Hidden { line, statements: rest }),
        "database" => steps.push(Step::Database(rest)),
        "not run" => remarks.not_run = Some(rest),
        "numbers vary" => remarks.numbers_vary = true,
        "meanwhile" => remarks.meanwhile = Some(rest),
        _ => return,
    }
    remarks.line = line;
}

/// The block whose opening fence is in line `start`.
fn fenced<'text>(lines: &[&'text str], start: usize) -> Result<Fenced<'text>> {
    let end = (start + 1..lines.len())
        .find(|place| lines[*place].trim_end() == FENCE)
        .with_context(|| format!("the block in line {} does not end", start + 1))?;
    let language = lines[start][FENCE.len()..].trim();
    Ok(Fenced { language, body: lines[start + 1..end].to_vec(), lines: start..end + 1 })
}

/// The language that the block runs in; `None` when it is only shown.
fn language(found: &Fenced) -> Result<Option<Language>> {
    Ok(match found.language {
        "sql" => Some(Language::Sql),
        "sh" => Some(Language::Shell),
        "bash" | "shell" | "console" | "psql" | "postgresql" => bail!(
            "the block in line {} would not run: its language is neither sql nor sh",
            found.lines.start + 1
        ),
        _ => None,
    })
}

/// The answer block that comes next, if only empty lines are before it.
fn answer<'text>(lines: &[&'text str], after: usize) -> Result<Option<Fenced<'text>>> {
    let next = (after..lines.len()).find(|place| !lines[*place].trim().is_empty());
    match next.filter(|place| lines[*place].starts_with(FENCE)) {
        Some(place) => {
            let found = fenced(lines, place)?;
            Ok(["", "text"].contains(&found.language).then_some(found))
        }
        None => Ok(None),
    }
}

fn block(language: Language, found: &Fenced, answer: Option<Fenced>, remarks: Remarks) -> Block {
    let first = found.body.first().copied().unwrap_or_default();
    let role = first.strip_prefix("-- as ").filter(|_| language == Language::Sql);
    let below = found.lines.end;
    Block {
        language,
        line: found.lines.start + 1,
        text: found.body.join("\n") + "\n",
        role: role.map(|role| role.trim().to_owned()),
        expected: answer.as_ref().map(|answer| answer.body.join("\n")).unwrap_or_default(),
        not_run: remarks.not_run,
        numbers_vary: remarks.numbers_vary,
        meanwhile: remarks.meanwhile,
        answer_lines: answer.map_or(below..below, |answer| answer.lines),
    }
}

/// The page with the answers of these blocks replaced. The blocks are in the order of the page.
pub fn with_answers<'a>(text: &str, answers: impl Iterator<Item = (&'a Block, &'a str)>) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut new: Vec<&str> = Vec::new();
    let mut place = 0;
    for (block, answer) in answers {
        new.extend(&lines[place..block.answer_lines.start]);
        if !answer.is_empty() {
            if block.answer_lines.is_empty() {
                new.push("");
            }
            new.push(FENCE);
            new.extend(answer.lines());
            new.push(FENCE);
        }
        place = block.answer_lines.end;
    }
    new.extend(&lines[place..]);
    new.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Title

```sql
SELECT 1;
```

```
 1
```

As a worker:

```sql
-- as agent
SELECT 2;
```

Nothing is answered.

<!-- database: other -->
<!-- run:
CREATE ROLE boss;
SELECT 3;
-->
<!-- not run: takes a pooler -->

```sh
psql --host=pooler
```
```text
nothing
```
";

    fn blocks(page: &Page) -> Vec<&Block> {
        let mut blocks = Vec::new();
        for step in &page.steps {
            if let Step::Block(block) = step {
                blocks.push(block);
            }
        }
        blocks
    }

    #[test]
    fn blocks_have_their_answers_and_remarks() -> Result<()> {
        let page = Page::parse(TEXT)?;
        let blocks = blocks(&page);
        assert_eq!(blocks.len(), 3);
        assert_eq!((blocks[0].text.as_str(), blocks[0].expected.as_str()), ("SELECT 1;\n", " 1"));
        assert_eq!((blocks[0].line, blocks[0].language), (3, Language::Sql));
        assert_eq!(blocks[0].role, None);
        assert_eq!(blocks[1].role.as_deref(), Some("agent"));
        assert_eq!(blocks[1].expected, "");
        assert_eq!(blocks[2].not_run.as_deref(), Some("takes a pooler"));
        assert_eq!((blocks[2].language, blocks[2].expected.as_str()), (Language::Shell, "nothing"));
        assert!(matches!(&page.steps[2], Step::Database(name) if name == "other"));
        assert!(
            matches!(&page.steps[3], Step::Hidden { line: 21, statements } if statements == "CREATE ROLE boss;\nSELECT 3;")
        );
        Ok(())
    }

    #[test]
    fn a_remark_without_its_block_is_an_error() {
        let error = |text: &str| Page::parse(text).unwrap_err().to_string();
        let lost = error("<!-- not run: why -->\n\nProse.\n\n```sql\nSELECT 1;\n```\n");
        assert!(lost.contains("line 1"), "{lost}");
        let shown = error("<!-- numbers vary: why -->\n```\n 1\n```\n");
        assert!(shown.contains("line 1"), "{shown}");
        let open = error("```sql\nSELECT 1;\n");
        assert!(open.contains("does not end"), "{open}");
        let unknown = error("```bash\nls\n```\n");
        assert!(unknown.contains("neither sql nor sh"), "{unknown}");
    }

    #[test]
    fn answers_are_written_where_the_page_has_or_lacks_them() -> Result<()> {
        let page = Page::parse(TEXT)?;
        let blocks = blocks(&page);
        let new = with_answers(TEXT, [(blocks[0], " one"), (blocks[1], " two")].into_iter());
        let again = Page::parse(&new)?;
        let found: Vec<&str> =
            self::blocks(&again).iter().map(|block| block.expected.as_str()).collect();
        assert_eq!(found, [" one", " two", "nothing"]);
        let silent = with_answers(TEXT, [(blocks[0], "")].into_iter());
        assert!(!silent.contains("\n 1\n"), "{silent}");
        Ok(())
    }
}
