//! Wiping: what SQLite leaves in the free middle of a page is overwritten with zeros.
//!
//! - `secure_delete` overwrites an entry where it stands when it is deleted, and whole pages that are given back. But when
//!   deleting makes a page nearly empty, or one is full, SQLite moves entries between neighbouring pages, and may write a
//!   page anew from its end without clearing what stood before its first entry. So a copy of an entry can stay where no
//!   entry is any more, and deleting the entry later does not reach the copy.
//! - Between the list of a page's entries and its first entry nothing belongs there. Whatever is there is wiped, page by page,
//!   through `sqlite_dbpage`, SQLite's own view of its pages: so it is part of a transaction like every other change. SQLite
//!   is built with it by `.cargo/config.toml`. Where it was built without, as outside of a checkout, forgetting writes the
//!   whole file anew instead (`VACUUM`), and retiring leaves such copies until then.
//! - Only pages of tables have entries. Other pages begin with the number of a page, four bytes: what, read so, is none of the
//!   file's is a page of a table. In a file of more than 2^25 pages, 137 GB, some of those cannot be told, and are left alone:
//!   first the inner ones of tables without row numbers, where one entry in hundreds stands.

use std::ops::Range;

use rusqlite::{Connection, Transaction, params};

use crate::error::{Doing, StoreError};

/// What its statements do, where one fails.
const WIPING: &str = "wiping pages";

/// The page on which the database begins; it tells of tables only.
const FIRST: u32 = 1;

/// Whether SQLite was built with its view of its pages.
pub(crate) fn is_built_in(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .prepare("SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage'")
        .and_then(|mut statement| statement.exists(()))
        .doing(WIPING)
}

/// How many pages the database has.
pub(crate) fn pages(transaction: &Transaction<'_>) -> Result<u32, StoreError> {
    transaction.query_row("PRAGMA page_count", (), |row| row.get(0)).doing(WIPING)
}

/// Wipes these pages, as far as they are there.
pub(crate) fn wipe(transaction: &Transaction<'_>, numbers: Range<u32>) -> Result<(), StoreError> {
    let count = pages(transaction)?;
    let mut read =
        transaction.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1").doing(WIPING)?;
    let mut write =
        transaction.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1").doing(WIPING)?;
    for number in numbers.start.max(FIRST + 1)..numbers.end.min(count + 1) {
        let wiped =
            read.query_row([number], |row| Ok(wiped(row.get_ref(0)?.as_blob()?, count))).doing(WIPING)?;
        if let Some(page) = wiped {
            write.execute(params![number, page]).doing(WIPING)?;
        }
    }
    Ok(())
}

/// A page of a file of so many, with nothing where nothing belongs; `None` if it is so.
fn wiped(page: &[u8], count: u32) -> Option<Vec<u8>> {
    if u32::from_be_bytes(*page.first_chunk()?) <= count {
        return None;
    }
    let free = free_middle(page)?;
    let is_clear = page.get(free.clone())?.iter().all(|byte| *byte == 0);
    if is_clear {
        return None;
    }
    let mut page = page.to_vec();
    page[free].fill(0);
    Some(page)
}

/// Where a page of a table has neither the list of its entries nor an entry; `None` of any other page.
pub(crate) fn free_middle(page: &[u8]) -> Option<Range<usize>> {
    let header = match page.first()? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let (entries, first) = (number(3)?, number(5)?);
    Some(header + 2 * entries..first)
}

#[cfg(test)]
mod tests;
