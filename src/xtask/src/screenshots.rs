//! `cargo xtask screenshots`: every page, as it is now, into docs/screenshots.

use crate::{
    error::{Error, Result},
    process,
    product::{self, Profile},
    setup::{Scope, setup},
};

const FOLDER: &str = "docs/screenshots";

/// Has Playwright take them.
pub fn screenshots(arguments: &[&str]) -> Result<()> {
    if !arguments.is_empty() {
        return Err(Error::Usage("cargo xtask screenshots takes no arguments".to_owned()));
    }
    let project = setup(Scope::Tests)?;
    product::build(&project, Profile::Debug)?;
    let mut playwright = project.command("npx");
    playwright
        .args(["playwright", "test", "--project=screenshots"])
        .env("SEND0_SCREENSHOTS", project.root.join(FOLDER))
        .env("SEND0_BINARY", Profile::Debug.binary(&project))
        .current_dir(project.root.join("end2end"));
    process::run(&mut playwright)?;
    println!("the screenshots are in {FOLDER}");
    Ok(())
}
