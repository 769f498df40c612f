"""Names of run folders: free of collisions, safe in file systems and on command lines."""

from pathlib import Path

from omegaconf import OmegaConf

from attnlab.cli import folders


def test_jobs_of_the_same_second_get_folders_of_their_own(tmp_path):
    folders.register()
    config = OmegaConf.create({"dir": f"{tmp_path}/${{stamp:}}"})
    reserved = []
    for _ in range(3):
        folders.stamp("2026-11-23_10-00-00")
        reserved.append(folders.reserve(lambda: Path(config.dir)))
    assert len(set(reserved)) == 3
    assert all(path.is_dir() for path in reserved)
    assert Path(config.dir) == reserved[-1], "the run goes elsewhere than to the folder reserved for it"


def test_a_folder_that_the_user_names_is_used_again(tmp_path):
    fixed = tmp_path / "mine"
    assert folders.reserve(lambda: fixed) == folders.reserve(lambda: fixed) == fixed


def test_names_of_jobs():
    assert folders.job_folder(3, "attention=luong_dot,seed=2") == "3_luong_dot_seed-2"
    assert folders.job_folder(0, "optimizer.lr=0.001") == "0_lr-0.001"
    assert folders.job_folder(0, "") == "0"
    awkward = folders.job_folder(1, "+optimizer.betas=[0.9,0.99],ckpt_path=/a b/c=d.ckpt,~x")
    assert not set(awkward) & set("=/ ,[]+~'\"")
    long = [folders.job_folder(1, "encoder.hidden_dim=1" + "0" * 300 + end) for end in "12"]
    assert max(map(len, long)) <= 80
    assert long[0] != long[1], "cut names must still differ"
