//! Which cells make up an exercise, and the notebook with a solution in place. Runs nothing.

use crate::{CellKind, Notebook, SolutionError, solution_code};

/// The cells of one exercise, as indices into [`Notebook::cells`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exercise {
    /// Its id, shared by the cells as `metadata.loopbot.exercise`.
    pub id: String,
    /// The code that the learner edits.
    pub task: Option<usize>,
    /// The code that shows the verdict.
    pub check: Option<usize>,
    pub hints: Vec<usize>,
    pub solution: Option<usize>,
    /// Further cells with a tag that the exercise has already: a second solution, for instance.
    pub surplus: Vec<usize>,
}

/// The exercises of a notebook, in the order in which they appear.
pub fn exercises(notebook: &Notebook) -> Vec<Exercise> {
    let mut found: Vec<Exercise> = Vec::new();
    for (index, cell) in notebook.cells.iter().enumerate() {
        let Some(id) = cell.exercise() else { continue };
        let at = found.iter().position(|exercise| exercise.id == id);
        let at = at.unwrap_or_else(|| {
            found.push(Exercise {
                id: id.to_owned(),
                ..Exercise::default()
            });
            found.len() - 1
        });
        let exercise = &mut found[at];
        if cell.has_tag("hint") {
            exercise.hints.push(index);
            continue;
        }
        let place = match cell.kind {
            CellKind::Code if cell.has_tag("exercise") => &mut exercise.task,
            CellKind::Code if cell.has_tag("check") => &mut exercise.check,
            _ if cell.has_tag("solution") => &mut exercise.solution,
            // The Markdown that sets the task may carry the id too.
            _ => continue,
        };
        match place {
            Some(_) => exercise.surplus.push(index),
            None => *place = Some(index),
        }
    }
    found
}

/// A copy of the notebook in which the solution of exercise `id` stands in the learner's cell; nothing is executed.
///
/// # Errors
///
/// When the exercise lacks its cell or its solution, or the solution holds no code.
pub fn with_solution(notebook: &Notebook, id: &str) -> Result<Notebook, SolutionError> {
    let exercise = exercises(notebook).into_iter().find(|own| own.id == id);
    let exercise = exercise.ok_or_else(|| SolutionError::NoTask(id.to_owned()))?;
    let mut solved = notebook.clone();
    put_solution(&mut solved, &exercise)?;
    Ok(solved)
}

/// A copy of the notebook with every solution in place, so that one run shows whether all of them are accepted.
///
/// # Errors
///
/// As [`with_solution`], for the first exercise that lacks something; its id comes with the error.
pub fn with_solutions(notebook: &Notebook) -> Result<Notebook, (String, SolutionError)> {
    let mut solved = notebook.clone();
    for exercise in exercises(notebook) {
        put_solution(&mut solved, &exercise).map_err(|error| (exercise.id.clone(), error))?;
    }
    Ok(solved)
}

fn put_solution(notebook: &mut Notebook, exercise: &Exercise) -> Result<(), SolutionError> {
    let id = || exercise.id.clone();
    let solution = exercise
        .solution
        .ok_or_else(|| SolutionError::NoCell(id()))?;
    let task = exercise.task.ok_or_else(|| SolutionError::NoTask(id()))?;
    let code = solution_code(&notebook.cells[solution].source)?;
    notebook.cells[task].source = code;
    Ok(())
}
