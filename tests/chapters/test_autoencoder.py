"""Chapter 01 prints what it promises."""

import re

import pytest
from notebook_runs import printed


@pytest.fixture(scope="module")
def text(solved):
    return printed(solved("01_autoencoder"))


def numbers(line):
    return [float(v) for v in re.findall(r"-?\d+\.\d+", line)]


def after(text, words, count):
    return text.split(words, 1)[1].splitlines()[1 : count + 1]


def test_the_linear_autoencoder_finds_the_subspace_of_pca(text):
    ours, theirs = numbers(re.search(r"squared error an image: linear.*", text)[0])
    assert ours / theirs <= 1.01
    assert float(re.search(r"ratio ([\d.]+)", text)[1]) == pytest.approx(ours / theirs, abs=1e-4)
    assert max(numbers(re.search(r"principal angles.*", text)[0])) < 5
    assert min(numbers(after(text, "largest |cosine|", 1)[0])) < 0.9, "the directions differ"
    assert min(numbers(re.search(r"cosine of each turned.*", text)[0])) > 0.995
    assert float(re.search(r"largest change of the map x → x̂: (\S+)", text)[1]) < 1e-10


def test_every_bent_network_beats_pca(text):
    errors = {
        name: float(re.search(rf"^{name} .* error +([\d.]+)", text, re.MULTILINE)[1])
        for name in ("mlp", "pooled")
    }
    pca = float(re.search(r"^ *8 numbers: error +[\d.]+, PCA's +([\d.]+);", text, re.MULTILINE)[1])
    assert max(errors.values()) < pca - 1, errors


def test_ssim_is_scikit_images(text):
    pairs = re.findall(r"ours ([\d.]+), scikit-image's ([\d.]+)", text)
    assert len(pairs) == 3
    assert all(abs(float(a) - float(b)) < 1e-4 for a, b in pairs)


def test_each_loss_is_the_best_on_its_own_measure(text):
    table = [numbers(line) for line in after(text, "trained on    measured by", 4)]
    for column in range(4):
        assert min(range(4), key=lambda row: table[row][column]) == column


def test_l2_and_l1_are_log_densities(text):
    for name in ("Gaussian", "Laplace"):
        truth, ours = numbers(re.search(rf"{name}: +−log density.*", text)[0])
        assert ours == pytest.approx(truth, abs=0.01)


def test_pca_needs_more_numbers(text):
    rows = re.findall(r"(\d+) numbers: error +([\d.]+), PCA's.*; PCA needs (\d+)", text)
    assert [int(k) for k, _, _ in rows] == [2, 4, 8, 16, 32]
    assert all(int(needed) > int(k) for k, _, needed in rows)
    assert [float(e) for _, e, _ in rows] == sorted((float(e) for _, e, _ in rows), reverse=True)


def test_random_codes_are_seldom_digits(text):
    header = re.search(r"classifier sure of.*themselves ([\d.]+)\)", text)
    shares = [numbers(line)[0] for line in after(text, "classifier sure of", 5)]
    of_images, same, half_way, gaussian, box = shares
    assert float(header[1]) > 0.9
    assert of_images > 0.8
    assert max(half_way, gaussian, box) < of_images - 0.12
    assert same > half_way + 0.1
    assert same > of_images - 0.1


def test_two_numbers_leave_fewer_clear_digits_and_the_box_is_surer(text):
    rows = [numbers(line) for line in after(text, "classifier sure of", 5)]
    assert rows[0][1] < rows[0][0] - 0.1
    assert rows[4][1] > max(rows[0][1], rows[4][0])


def test_a_blank_page_has_a_smaller_error_than_any_digit(text):
    blank, share = re.search(r"blank +error +([\d.]+): smaller than that of +(\d+)%", text).groups()
    assert float(blank) < 3
    assert int(share) == 100
    far = re.findall(r"along PCA's first direction: error (\S+)", text)
    assert len(far) == 3
    assert float(far[1]) < 1e-4
