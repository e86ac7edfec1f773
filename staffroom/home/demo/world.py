"""The numbers of the demo district, drawn from a seed. Knows the true effects, so that tests can hold the engine against them.

A student's score in a term is::

    score = 200 + 40 · (ability of the student + skill of the teacher + shock of the school in the term
                        + shock of the class in the term + noise + what the activities added)

in units where a student of the untreated district has standard deviation 1. Teachers are observed in most terms; a rating is::

    rating = 2.5 + 0.45 · (habit of the teacher + day of the visit + what the activities changed in practice)

on a rubric from 1 to 4. Students are shuffled over their school's teachers
every school year, teachers stay. Who joins an activity, and when, depends on the teacher's skill (the skilled join the coaching a
little sooner), so that a naive comparison misleads while comparing each teacher with herself does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TERMS = 8
YEARS = TERMS // 2
NEVER = -1
SCALE_MEAN, SCALE_SD = 200.0, 40.0
RATING_MIDDLE, RATING_SD = 2.5, 0.45
SHARE_UNSEEN = 0.15
"""Of all teacher terms, those in which nobody came to observe."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Program:
    """A professional-learning activity of the demo, with what it truly adds (in SD) where it works."""

    slug: str
    name: str
    kind: str
    description: str
    share_of_teachers: float
    first_terms: tuple[int, ...]
    effect_sd: float
    works_in_share_of_schools: float
    pull_of_skill: float
    sessions_per_term: int
    hours_per_session: float
    practice_sd: float
    """What it changes in how teaching is rated, in units of a rating's spread; where it works for students, and nowhere else."""


PROGRAMS: tuple[Program, ...] = (
    Program(
        "number-talks-coaching", "Number talks coaching", "coaching",
        "A coach watches clips of number talks with each teacher and plans the next one with her, four times a term.",
        0.38, (2, 3, 4, 5), 0.16, 1.0, 0.35, 4, 1.5, 0.7,
    ),
    Program(
        "mindset-workshop-days", "Mindset workshop days", "workshop",
        "Full-day workshops on praise and effort, with a book and a substitute for the day.",
        0.42, (2, 3, 4), 0.0, 1.0, 0.0, 1, 6.5, 0.0,
    ),
    Program(
        "exit-ticket-course", "Exit ticket course", "course",
        "An online course on checking at the end of a lesson what each student understood, with a team meeting each month.",
        0.40, (3, 4, 5), 0.22, 0.5, 0.0, 3, 2.0, 0.8,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """The drawn district. Terms count from 0; schools, teachers and students are numbered from 0.

    school_of_teacher (teachers,), school_of_student (students,), class_of (years, students): teacher of each student in each
    school year; scores (terms, students), rounded to whole points; first_term (programs, teachers): NEVER or the term in which
    the teacher first took part; true_effect (programs, teachers): SD added from then on. ratings (terms, teachers): how her teaching
    was rated, NaN where nobody came.
    """

    schools: int
    school_of_teacher: Ints
    school_of_student: Ints
    class_of: Ints
    scores: Floats
    first_term: Ints
    true_effect: Floats
    ratings: Floats

    @property
    def teachers(self) -> int:
        return len(self.school_of_teacher)

    @property
    def students(self) -> int:
        return len(self.school_of_student)

    def average_true_effect(self, program: int) -> float:
        """What the program truly added, in SD, averaged over the students taught in treated teacher-terms."""
        weights = self._treated_students(program)
        return float((weights * self.true_effect[program]).sum() / weights.sum())

    def _treated_students(self, program: int) -> Floats:
        """Students taught by each teacher in the terms since she first took part: (teachers,)."""
        total = np.zeros(self.teachers)
        for term in range(TERMS):
            size = np.bincount(self.class_of[term // 2], minlength=self.teachers)
            first = self.first_term[program]
            total += size * ((first != NEVER) & (term >= first))
        return total


def draw(*, teachers: int = 420, seed: int = 2, schools: int | None = None) -> World:
    """Draw a district. 420 teachers make 12 schools and 9,000 students; other sizes keep the proportions.

    Raises ValueError below 24 teachers: every school needs some who teach the same students.
    """
    if teachers < 24:
        raise ValueError("a demo district needs at least 24 teachers")
    rng = np.random.default_rng(seed)
    schools = schools or max(2, round(teachers * 12 / 420))
    students = round(teachers * 9000 / 420)
    school_of_teacher = np.sort(np.arange(teachers) % schools)
    school_of_student = np.sort(np.arange(students) % schools)
    skill = rng.normal(0, 0.25, teachers)
    class_of = np.stack([_shuffle(rng, school_of_teacher, school_of_student, schools) for _ in range(YEARS)])
    first_term = np.stack([_adoption(rng, each, skill) for each in PROGRAMS])
    true_effect = np.stack([_effects(rng, each, school_of_teacher, schools) for each in PROGRAMS])
    scores = _scores(rng, skill, class_of, school_of_teacher, schools, first_term, true_effect)
    # Drawn from a seed of their own, so that everything else stays as it was before there were ratings.
    ratings = _ratings(np.random.default_rng([seed, 3]), first_term, true_effect)
    return World(schools, school_of_teacher, school_of_student, class_of, scores, first_term, true_effect, ratings)


def _shuffle(rng: np.random.Generator, of_teacher: Ints, of_student: Ints, schools: int) -> Ints:
    """Deal each school's students to its teachers, classes of nearly equal size: the teacher of each student."""
    teacher_of = np.empty(len(of_student), dtype=np.int64)
    for school in range(schools):
        staff = np.flatnonzero(of_teacher == school)
        pupils = rng.permutation(np.flatnonzero(of_student == school))
        teacher_of[pupils] = staff[np.arange(len(pupils)) % len(staff)]
    return teacher_of


def _adoption(rng: np.random.Generator, program: Program, skill: Floats) -> Ints:
    """When each teacher first took part, in waves; a program may pull the skilled."""
    eagerness = program.pull_of_skill * skill / skill.std() + rng.normal(size=len(skill))
    order = np.argsort(-eagerness)
    joined = order[: round(program.share_of_teachers * len(skill))]
    first = np.full(len(skill), NEVER, dtype=np.int64)
    for wave, members in zip(program.first_terms, np.array_split(joined, len(program.first_terms)), strict=True):
        first[members] = wave
    return first


def _effects(rng: np.random.Generator, program: Program, school_of_teacher: Ints, schools: int) -> Floats:
    works = np.zeros(schools, dtype=bool)
    works[rng.permutation(schools)[: round(program.works_in_share_of_schools * schools)]] = True
    return np.where(works[school_of_teacher], program.effect_sd, 0.0)


def _scores(
    rng: np.random.Generator, skill: Floats, class_of: Ints, school_of_teacher: Ints, schools: int,
    first_term: Ints, true_effect: Floats,
) -> Floats:  # fmt: skip
    students = class_of.shape[1]
    ability = rng.normal(0, 0.8, students)
    scores = np.empty((TERMS, students))
    for term in range(TERMS):
        teacher = class_of[term // 2]
        added = (true_effect * ((first_term != NEVER) & (term >= first_term))).sum(axis=0)
        of_class = skill + rng.normal(0, 0.06, len(skill)) + added
        of_school = rng.normal(0.02 * term, 0.03, schools)[school_of_teacher]
        latent = ability + (of_class + of_school)[teacher] + rng.normal(0, 0.53, students)
        scores[term] = np.clip(np.rint(SCALE_MEAN + SCALE_SD * latent), 0, 400)
    return scores


def _ratings(rng: np.random.Generator, first_term: Ints, true_effect: Floats) -> Floats:
    """How each teacher was rated in each term, in quarters of a level."""
    teachers = first_term.shape[1]
    habit = rng.normal(0, 0.8, teachers)
    changes = np.array([[program.practice_sd] for program in PROGRAMS]) * (true_effect > 0)
    ratings = np.empty((TERMS, teachers))
    for term in range(TERMS):
        changed = (changes * ((first_term != NEVER) & (term >= first_term))).sum(axis=0)
        latent = habit + changed + rng.normal(0, 0.6, teachers)
        ratings[term] = np.clip(np.rint(4 * (RATING_MIDDLE + RATING_SD * latent)) / 4, 1, 4)
    ratings[rng.random(ratings.shape) < SHARE_UNSEEN] = np.nan
    return ratings


GIVEN_NAMES = (
    "Ada Alma Amir Ana Anton Aria Arjun Asha Ava Beatriz Bela Caleb Camila Carmen Chen Clara Daniel Dario Delia Diego Dina Edith Elena "
    "Elias Emma Esra Eva Felix Fiona Freya Gabriel Gloria Hana Hassan Helena Hugo Ida Imani Ines Isaac Ivan Jada James Jonas Jose Judith "
    "Julia Kai Karim Keiko Lara Leila Leon Lina Lucas Luz Maja Malik Marco Maria Mateo Maya Mei Miles Mina Nadia Nia Nico Nina Noor Nora "
    "Olga Oscar Paula Pavel Petra Quinn Rania Rosa Ruben Ruth Sami Sara Selma Simon Sofia Stella Tariq Teresa Theo Uma Valentina Vera "
    "Victor Wanda Xavier Yara Yusuf Zara Zoltan"
).split()
FAMILY_NAMES = (
    "Abbott Adeyemi Aguilar Ahmed Alvarez Andersen Arslan Bailey Banerjee Barker Becker Bennett Bianchi Boateng Brooks Bryant Campos "
    "Carver Chang Chavez Clarke Cohen Collins Costa Cruz Dalton Das Delgado Dubois Duran Eriksen Evans Farah Fischer Flores Foster "
    "Garcia Gibson Gomez Graham Greene Gupta Hall Hansen Harris Hayes Herrera Hoffman Hughes Ibrahim Iqbal Jackson Jensen Johnson Kaya "
    "Keller Khan Kim Kowalski Larsen Lee Lewis Lopez Marino Martin Mendez Meyer Mitchell Morales Murphy Nakamura Nguyen Novak Ortega "
    "Owens Park Patel Pereira Petrov Phillips Quispe Ramirez Reyes Rivera Rossi Russo Salazar Santos Schmidt Silva Singh Sorensen "
    "Stewart Suarez Tanaka Taylor Torres Turner Vargas Wagner Walker Weber Wong Wright Yilmaz Young Zhang"
).split()


def names(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """Made-up given and family names."""
    given = rng.integers(0, len(GIVEN_NAMES), count)
    family = rng.integers(0, len(FAMILY_NAMES), count)
    return [(GIVEN_NAMES[g], FAMILY_NAMES[f]) for g, f in zip(given, family, strict=True)]


def truth(world: World) -> dict[str, Any]:
    """The true average effect of each program, by slug: what the generator hides and the engine is to find."""
    return {program.slug: world.average_true_effect(index) for index, program in enumerate(PROGRAMS)}
