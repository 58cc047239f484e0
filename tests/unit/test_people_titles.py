"""Titles as people write them, and the role each must call for first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.errors import PeopleError
from meetings.people import Person, build_persona, load_profiles, match_profiles, read_profiles

NAMED = ("engineering", "product", "content", "marketing", "sales", "support", "security", "legal", "finance", "people",
         "design", "data", "operations", "executive", "project lead")  # fmt: skip

TITLES = {
    "engineering": [
        "Director of Product Engineering", "VP Eng", "VP of Engineering", "VPE", "CTO", "Chief Technology Officer",
        "Software Engineer", "Senior Software Engineer II", "Staff Engineer", "Principal Engineer", "SWE", "SDET",
        "Backend Developer", "Frontend Engineer", "Full-Stack Developer", "iOS Developer", "Android Engineer",
        "Engineering Manager", "Tech Lead", "QA Engineer", "Embedded Software Engineer", "Software Architect",
        "Softwareentwickler (m/w/d)", "Backend-Entwicklerin", "Entwickler*in", "Leiter Softwareentwicklung",
        "Software-Architekt", "Développeur Full Stack", "Développeuse web", "Ingénieur logiciel", "Directeur technique",
        "Desarrollador Backend", "Ingeniera de Software", "Arquitecto de Software", "Programadora",
    ],
    "product": [
        "Product Manager", "Senior PM", "Group Product Manager", "Product Owner", "Head of Product", "CPO",
        "VP Product", "PO", "Produktmanagerin", "Produktmanager/-in", "Leiter Produktmanagement", "Chef de produit",
        "Responsable Produit", "Jefe de Producto", "Associate Product Manager",
    ],
    "content": [
        "Head of Content", "Content Strategist", "Content Designer", "Technical Writer", "Senior Editor",
        "Copywriter", "Editor-in-Chief", "Communications Manager", "Redakteurin", "Technischer Redakteur",
        "Leiterin Unternehmenskommunikation", "Content-Managerin", "Rédactrice en chef",
        "Responsable éditorial et contenus",
        "Traductora", "Übersetzerin", "Redactor de contenidos", "Social Media Manager", "Community Manager",
        "Documentation Lead",
    ],
    "marketing": [
        "CMO", "Head of Marketing", "Growth Lead", "Product Marketing Manager", "PMM", "DevRel", "Developer Advocate",
        "Brand Manager", "Demand Generation Manager", "SEO Specialist", "Onlinemarketing-Manager", "Marketingleiterin",
        "Responsable marketing", "Directora de Marketing", "PR Manager", "Pressesprecherin", "Field Marketing Manager",
    ],
    "sales": [
        "Account Executive", "AE", "SDR", "Head of Sales", "VP Sales", "Key Account Manager", "Sales Engineer",
        "Business Development Manager", "CRO", "Partnerships Lead", "Vertriebsleiter", "Vertriebsmitarbeiterin",
        "Außendienstmitarbeiter", "Leitung Vertrieb", "Ingénieur d'affaires", "Directeur commercial",
        "Responsable des ventes", "Director Comercial", "Gerente de Ventas", "Solutions Engineer",
    ],
    "support": [
        "Support Lead", "Customer Success Manager", "CSM", "Customer Support Specialist", "Technical Support Engineer",
        "Help Desk Technician", "Kundenbetreuerin", "Leiter Kundenservice", "Chargé de service client",
        "Responsable de Atención al Cliente", "Ingeniero de Soporte", "Technical Account Manager", "Supportmitarbeiter",
    ],
    "security": [
        "CISO", "Security Engineer", "Security Lead", "Head of Information Security", "AppSec Engineer",
        "Penetration Tester", "SOC Analyst", "IT-Sicherheitsbeauftragter", "Leiter Informationssicherheit", "RSSI",
        "Responsable sécurité", "Ingeniera de Ciberseguridad", "DevSecOps Engineer", "Cyber Security Analyst",
    ],
    "legal": [
        "General Counsel", "GC", "Legal Counsel", "Lawyer", "Paralegal", "Data Protection Officer", "DPO",
        "Compliance Manager", "Rechtsanwältin", "Justiziar", "Syndikusrechtsanwalt", "Datenschutzbeauftragte",
        "Juriste", "Responsable juridique", "Abogado", "Asesora Jurídica", "Délégué à la protection des données",
    ],
    "finance": [
        "CFO", "Finance Manager", "Head of Finance", "Accountant", "Controller", "FP&A Analyst", "Financial Analyst",
        "Payroll Specialist", "Procurement Manager", "Buchhalterin", "Finanzbuchhalter", "Leiter Controlling",
        "Einkäufer", "Comptable", "Contrôleur de gestion", "DAF", "Directrice financière", "Contable",
        "Director Financiero", "Treasury Manager",
    ],
    "people": [
        "HRBP", "HR Business Partner", "Head of People", "Chief People Officer", "CHRO", "Recruiter",
        "Talent Acquisition Partner", "People Operations Manager", "HR Manager", "Personalreferentin", "Personalleiter",
        "DRH", "Responsable RH", "Chargée de recrutement", "Directora de Recursos Humanos", "Técnico de RRHH",
        "Learning & Development / L&D Lead",
    ],
    "design": [
        "Product Designer", "UX Designer", "UI/UX Designer", "UX Researcher", "Head of Design", "Art Director",
        "Graphic Designer", "Grafikdesignerin", "Mediengestalter", "UX-Designer:in", "Graphiste",
        "Directrice artistique",
        "Diseñadora UX", "Diseñador de Producto", "Design Systems Lead",
    ],
    "data": [
        "Data Scientist", "Data Engineer", "Data Analyst", "Head of Data", "Machine Learning Engineer", "ML Engineer",
        "BI Analyst", "Analytics Engineer", "Business Analyst", "Datenanalystin", "Datenwissenschaftler",
        "Analyste de données", "Científica de Datos", "Analista de datos", "Chief Data Officer", "AI Researcher",
    ],
    "operations": [
        "SRE", "Site Reliability Engineer", "DevOps Engineer", "COO", "Chief Operating Officer", "Operations Manager",
        "Sysadmin", "Systemadministrator", "IT Manager", "Cloud Engineer", "Platform Engineer", "Office Manager",
        "Netzwerktechniker", "Betriebsleiter", "Responsable informatique", "Administrateur systèmes",
        "Administrador de Sistemas", "Directora de Operaciones", "Executive Assistant", "Logistikleiter", "CIO",
    ],
    "executive": [
        "CEO", "Founder", "Co-Founder & CEO", "Managing Director", "President", "Geschäftsführerin", "Vorstand",
        "Vorstandsvorsitzender", "PDG", "Directrice générale", "Directeur Général", "Directora General",
        "Fundador", "Chief of Staff", "Board Member", "Inhaber",
    ],
    "project lead": [
        "Project Manager", "Program Manager", "TPM", "Technical Program Manager", "Scrum Master", "Agile Coach",
        "Delivery Manager", "PMO Lead", "Projektleiterin", "Projektmanager", "Teamleiter", "Chef de projet",
        "Cheffe de projet digital", "Jefa de Proyecto", "Coordinadora de Proyectos", "Release Manager",
    ],
}  # fmt: skip
TABLE = [(title, role) for role, titles in TITLES.items() for title in titles]


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(TABLE) >= 120
    assert set(TITLES) == set(NAMED)


def test_every_role_that_is_promised_has_a_profile() -> None:
    assert set(NAMED) <= {p.name for p in load_profiles()}


@pytest.mark.parametrize(("title", "role"), TABLE)
def test_a_title_calls_for_its_role(title: str, role: str) -> None:
    assert [p.name for p, _ in match_profiles(title)][:1] == [role]


@pytest.mark.parametrize(
    ("title", "roles"),
    [
        ("CTO", {"engineering", "executive"}),
        ("CFO", {"finance", "executive"}),
        ("VP Sales and Marketing", {"sales", "marketing", "executive"}),
    ],
)
def test_who_leads_a_field_gets_both(title: str, roles: set[str]) -> None:
    assert {p.name for p, _ in match_profiles(title)} == roles


@pytest.mark.parametrize("title", ["Gardener", "Zauberer", "Astronaut", "Chef", "Pilote", "Cocinera", "Nurse"])
def test_a_trade_that_is_none_of_ours_gets_no_profile(title: str) -> None:
    assert match_profiles(title) == ()


@given(st.text(max_size=60))
def test_any_text_is_taken_as_a_position(title: str) -> None:
    found = match_profiles(title)
    assert len(found) <= 3
    assert not found or sum(share for _, share in found) == pytest.approx(1.0)


# An admin's own

OWN = """
- profile: research
  match: [research fellow, "*forscher"]
  interests: [grants and publications]
  terms: [grant, paper]
  wants: {decision: 0.3}
"""


def test_own_profiles_are_added_to_ours(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(OWN)
    profiles = read_profiles(tmp_path / "own.yml")
    assert len(profiles) == len(load_profiles()) + 1
    assert [p.name for p, _ in match_profiles("Klimaforscher", profiles)] == ["research"]
    persona = build_persona(Person(username="x", name="X", position="Research Fellow"), profiles=profiles)
    assert "grants and publications" in {i.text for i in persona.ingredients}


def test_an_own_profile_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(OWN.replace("research\n", "legal\n", 1).replace("research fellow", "counsel"))
    profiles = read_profiles(tmp_path)
    assert len(profiles) == len(load_profiles())
    (found,) = (p for p in profiles if p.name == "legal")
    assert found.interests == ("grants and publications",)
    assert found.origin == str(tmp_path / "a.yml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (OWN.replace("terms:", "term:"), "did you mean terms"),
        (OWN.replace("decision: 0.3", "decisions: 0.3"), "wants"),
        (OWN.replace("decision: 0.3", "decision: 3"), "wants"),
        (OWN.replace("  match", "  # match"), "match is missing"),
        (OWN.replace("[grants and publications]", "[grants: and publications]"), "interests"),
        ("", "must be a list"),
        ("profile: x", "must be a list"),
        ("- x", "must have keys"),
        ("- [", "not YAML"),
        (OWN + OWN, "stands in"),
    ],
)
def test_a_wrong_profile_is_refused_by_name(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "own.yml").write_text(content)
    with pytest.raises(PeopleError, match=r"own\.yml.*" + says):
        read_profiles(tmp_path / "own.yml")


def test_profiles_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nothing.yml", tmp_path / "empty"):
        with pytest.raises(PeopleError, match="profiles"):
            read_profiles(path)
