//! `query`: the store in SQL, read-only.

use serde_json::{Map, Value};

use authstitch_store::Table;

use crate::args::{self, TableFormat};
use crate::failure::{Failure, Outcome};
use crate::journeys;
use crate::output::{Columns, say};

pub fn run(args: &args::Query) -> Outcome {
    let dir = journeys::data_dir(args.data_dir.as_deref());
    let table = journeys::open_store(&dir)?.query(&args.sql).map_err(|error| {
        Failure::new(error.to_string())
            .hint("one SELECT is accepted; `SELECT * FROM journeys LIMIT 1` shows the columns")
    })?;
    let text = match args.format {
        TableFormat::Table => for_reading(&table),
        TableFormat::Json => format!("{}\n", as_objects(&table)),
        TableFormat::Csv => as_csv(&table),
    };
    say(&text)?;
    if let Some(note) = &table.note {
        eprintln!("note: {note}");
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn for_reading(table: &Table) -> String {
    let mut columns = Columns::new(table.columns.iter().map(String::as_str));
    for row in &table.rows {
        columns.row(row.iter().map(cell), |at| row[at].is_number());
    }
    columns.to_string()
}

fn as_objects(table: &Table) -> Value {
    let rows = table.rows.iter().map(|row| {
        let fields: Map<_, _> = table.columns.iter().cloned().zip(row.iter().cloned()).collect();
        Value::Object(fields)
    });
    Value::Array(rows.collect())
}

fn as_csv(table: &Table) -> String {
    let quoted = |text: String| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let mut csv = String::new();
    let header = table.columns.iter().cloned().map(quoted).collect::<Vec<_>>().join(",");
    csv.push_str(&header);
    csv.push_str("\r\n");
    for row in &table.rows {
        csv.push_str(&row.iter().map(cell).map(quoted).collect::<Vec<_>>().join(","));
        csv.push_str("\r\n");
    }
    csv
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn table() -> Table {
        Table {
            columns: vec!["cause".into(), "n".into()],
            rows: vec![vec![json!("a,\"b\""), json!(12)], vec![Value::Null, json!(3)]],
            note: None,
        }
    }

    #[test]
    fn three_formats() {
        expect![[r#"
            cause   n
            a,"b"  12
                    3
        "#]]
        .assert_eq(&for_reading(&table()));
        assert_eq!(as_objects(&table()), json!([{"cause": "a,\"b\"", "n": 12}, {"cause": null, "n": 3}]));
        assert_eq!(as_csv(&table()), "cause,n\r\n\"a,\"\"b\"\"\",12\r\n,3\r\n");
    }
}
