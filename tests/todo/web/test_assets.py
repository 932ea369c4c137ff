class TestSources:
    def test_style_sheets_take_their_values_from_one_file(self) -> None:
        """Colours, sizes of text and spacing; print has paper's."""
        for file in sorted((assets.FOLDER / "css").glob("*.css")):
            if file.stem in ("tokens", "print"):
                continue
            text = file.read_text(encoding="utf-8")
            own = re.findall(r"#[0-9a-f]{3,6}\b|rgb\([^)]*\)|font-size: [0-9.]+(?:rem|px)", text)
            assert not own, f"{file.name} has values of its own: {own}"
            assert file.stem in assets.STYLES

    def test_the_scripts_of_the_list_stay_small(self) -> None:
        names = ("list", "outbox", "patch", "rows", "drag", "quick_add")
        assert sum(len((assets.FOLDER / f"{name}.js").read_text().splitlines()) for name in names) <= 700
