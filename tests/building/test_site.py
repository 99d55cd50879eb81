"""What the site's pages change in what nbconvert writes; the pages themselves: tests/browser."""

from vae_teach.building import site


def test_links_to_a_heading_find_it():
    html = '<h2>The course</h2><a href="00_start_here.ipynb#The-course">map</a>'
    assert site.mended(html) == (
        '<h2 id="The-course">The course</h2><a href="00_start_here.html#The-course">map</a>'
    )
