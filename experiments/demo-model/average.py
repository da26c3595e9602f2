"""Averages the weights of checkpoints of one descent (Wortsman et al. 2022, "Model soups"; Izmailov et al. 2018, "SWA").

    python3 average.py OUT CHECKPOINT=SHARE...

What the runs of train.py learned by heart differs between them and averages out; what they agree on stays. OUT has the layout of
the first checkpoint, and a training.json that tells the runs of all of them and the shares.
"""
import json, os, sys
from model import copy_tokenizer, grow, read_hf, write_hf
from train import LAYERS, LENGTHS, earlier_runs


def main():
    out, *parts = sys.argv[1:]
    parts = [(folder, float(share)) for folder, share in (part.rsplit('=', 1) for part in parts)]
    assert abs(sum(share for _, share in parts) - 1) < 1e-6, 'shares add up to one'
    total, histories = {}, []
    for folder, share in parts:
        model = grow(*read_hf(folder), LAYERS, LENGTHS[-1][1])
        for key, t in model.state_dict().items():
            total[key] = total.get(key, 0) + share * t.double()
        histories.append(earlier_runs(folder))
    model.load_state_dict(total)
    write_hf(model, out)
    copy_tokenizer(parts[0][0], out)
    # Every checkpoint is on the way to the last of them: its history is the longest, and begins with those of the others.
    longest = max(histories, key=len)
    assert all(longest[:len(h)] == h for h in histories), 'checkpoints of one descent'
    average = dict(average_of_runs=[len(h) for h in histories], shares=[share for _, share in parts])
    with open(os.path.join(out, 'training.json'), 'w') as f:
        json.dump({'runs': [*longest, average]}, f, indent=1)


if __name__ == '__main__':
    main()
