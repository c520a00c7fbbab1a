"""Readers of exported formats that share no code with the writers: what they
find is printed as JSON, one object a picture or text. Standard library only;
pycocotools and nltk check the same files where they are installed."""
import csv, json, os, re, sys
import xml.etree.ElementTree as ET


def strict(pairs):
    names = [k for k, _ in pairs]
    assert len(names) == len(set(names)), "a member twice: %s" % names
    return dict(pairs)


def load(path):
    with open(path, encoding="utf-8", errors="strict") as f:
        return json.load(f, object_pairs_hook=strict)


def unpack(text):
    """Run lengths as COCO's API defines its compressed form."""
    counts, i = [], 0
    while i < len(text):
        x, k, more = 0, 0, True
        while more:
            c = ord(text[i]) - 48
            x |= (c & 0x1F) << 5 * k
            more = bool(c & 0x20)
            i, k = i + 1, k + 1
            if not more and c & 0x10:
                x |= -1 << 5 * k
        counts.append(x + (counts[-2] if len(counts) > 2 else 0))
    return counts


def pixels(segmentation, width, height):
    """The number of pixels and their bounds, from run lengths or polygons."""
    inside = set()
    if isinstance(segmentation, dict):
        assert segmentation["size"] == [height, width]
        at, on = 0, False
        for n in unpack(segmentation["counts"]):
            assert n >= 0
            if on:
                inside.update((i // height, i % height) for i in range(at, at + n))
            at, on = at + n, not on
        assert at == width * height
    else:
        for flat in segmentation:
            ring = list(zip(flat[::2], flat[1::2]))
            for y in range(height):
                for x in range(width):
                    hit, px, py = False, x + 0.5, y + 0.5
                    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]):
                        if (y1 > py) != (y2 > py) and px < (x2 - x1) * (py - y1) / (y2 - y1) + x1:
                            hit = not hit
                    if hit:
                        inside.add((x, y))
    return sorted(inside)


def coco(path):
    d = load(path)
    assert set(d) == {"info", "licenses", "images", "annotations", "categories"}
    names = {c["id"]: c["name"] for c in d["categories"]}
    assert len(names) == len(d["categories"])
    images = {i["id"]: i for i in d["images"]}
    assert len(images) == len(d["images"]) and len({i["file_name"] for i in d["images"]}) == len(images)
    assert sorted(a["id"] for a in d["annotations"]) == list(range(1, len(d["annotations"]) + 1))
    found = {i: [] for i in images}
    for a in d["annotations"]:
        image = images[a["image_id"]]
        x, y, w, h = a["bbox"]
        assert 0 <= x and 0 <= y and w > 0 and h > 0 and x + w <= image["width"] and y + h <= image["height"]
        assert a["iscrowd"] == 0 and a["area"] > 0
        label = {"label": names[a["category_id"]], "id": a["category_id"], "box": [x, y, w, h]}
        if "score" in a:
            label["score"] = a["score"]
        if a["segmentation"]:
            p = pixels(a["segmentation"], image["width"], image["height"])
            assert a["area"] == len(p) or isinstance(a["segmentation"], list)
            assert [min(q[0] for q in p), min(q[1] for q in p)] == [x, y]
            label["pixels"] = len(p)
        found[a["image_id"]].append(label)
    try:
        import pycocotools.coco
    except ImportError:
        print("pycocotools is not installed", file=sys.stderr)
    else:
        sys.stdout, out = sys.stderr, sys.stdout
        api = pycocotools.coco.COCO(path)
        sys.stdout = out
        for i, labels in found.items():
            theirs = api.loadAnns(api.getAnnIds(imgIds=[i]))
            assert [t["bbox"] for t in theirs] == [l["box"] for l in labels]
            for t, l in zip(theirs, labels):
                assert not t["segmentation"] or int(api.annToMask(t).sum()) == l["pixels"]
    for i, image in images.items():
        yield {"source": image["coco_url"], "file": image["file_name"], "labels": found[i]}


def yolo(path):
    with open(os.path.join(path, "data.yaml"), encoding="utf-8") as f:
        text = f.read()
    names = {int(k): json.loads(v) for k, v in re.findall(r'^  (\d+): (".*")$', text, re.M)}
    assert sorted(names) == list(range(len(names))), "trainers want class ids without holes"
    with open(os.path.join(path, "sources.jsonl"), encoding="utf-8") as f:
        sources = [json.loads(line, object_pairs_hook=strict) for line in f]
    seen = set()
    for s in sources:
        stem = os.path.splitext(s["file"])[0]
        seen.add(stem)
        labels = []
        with open(os.path.join(path, "labels", stem + ".txt"), encoding="ascii") as f:
            for line in f:
                parts = line.split()
                c, v = int(parts[0]), [float(p) for p in parts[1:]]
                assert c in names and all(0 <= x <= 1 for x in v)
                w, h = s["width"], s["height"]
                if len(v) == 4:
                    box = [(v[0] - v[2] / 2) * w, (v[1] - v[3] / 2) * h, v[2] * w, v[3] * h]
                    labels.append({"label": names[c], "id": c, "box": [round(x, 4) for x in box]})
                else:
                    assert len(v) >= 6 and len(v) % 2 == 0
                    flat = [x * (h if i % 2 else w) for i, x in enumerate(v)]
                    labels.append({"label": names[c], "id": c, "pixels": len(pixels([flat], w, h))})
        yield {"source": s["source-ref"], "file": s["file"], "labels": labels}
    on_disk = {os.path.relpath(os.path.join(d, f), os.path.join(path, "labels"))[:-4]
               for d, _, files in os.walk(os.path.join(path, "labels")) for f in files}
    assert on_disk == seen, on_disk ^ seen


def voc(path):
    with open(os.path.join(path, "ImageSets/Main/all.txt"), encoding="utf-8") as f:
        stems = f.read().splitlines()
    for stem in stems:
        root = ET.parse(os.path.join(path, "Annotations", stem + ".xml")).getroot()
        assert root.tag == "annotation"
        w, h = int(root.find("size/width").text), int(root.find("size/height").text)
        labels = []
        for o in root.findall("object"):
            x1, y1, x2, y2 = (float(o.find("bndbox/" + k).text) for k in ("xmin", "ymin", "xmax", "ymax"))
            assert 1 <= x1 <= x2 <= w and 1 <= y1 <= y2 <= h, "corners from 1, both inside"
            labels.append({"label": o.find("name").text, "box": [x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1]})
            assert {c.tag for c in o} >= {"name", "pose", "truncated", "difficult", "bndbox"}
        yield {"source": root.find("path").text, "file": root.find("filename").text, "labels": labels}


def conll(path):
    documents = []
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f.read().split("\n"):
            parts = line.split(" ")
            if parts == [""]:
                continue
            assert len(parts) == 4, line
            if parts[0] == "-DOCSTART-":
                documents.append([])
                continue
            documents[-1].append((parts[0], parts[3]))
    for tokens in documents:
        labels, last = [], "O"
        for token, tag in tokens:
            assert tag == "O" or tag[:2] in ("B-", "I-")
            if tag[:2] == "I-":
                assert last[2:] == tag[2:], "IOB2: I- goes on with the same label"
                labels[-1]["text"].append(token)
            elif tag[:2] == "B-":
                labels.append({"label": tag[2:], "text": [token]})
            last = tag
        yield {"source": " ".join(t for t, _ in tokens), "labels": labels}
    try:
        from nltk.corpus.reader import ConllCorpusReader
    except ImportError:
        print("nltk is not installed", file=sys.stderr)
        return
    reader = ConllCorpusReader(os.path.dirname(path), os.path.basename(path), ("words", "pos", "ignore", "chunk"))
    theirs = [(w, c) for sent in reader.iob_sents() for w, _, c in sent if w != "-DOCSTART-"]
    assert theirs == [t for d in documents for t in d], theirs


def table(path):
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, strict=True))
    assert all(None not in r and None not in r.values() for r in rows), "rows of unequal length"
    objects = {}
    for r in rows:
        o = objects.setdefault(r["object"], {"source": r["source-ref"] or r["source"], "type": r["type"], "labels": []})
        if r.get("label"):
            label = {"label": r["label"]}
            if "left" in r:
                label["box"] = [float(r[k]) for k in ("left", "top", "width", "height")]
            if "start" in r:
                label["text"] = [o["source"][int(r["start"]):int(r["end"])]]
            o["labels"].append(label)
    yield from objects.values()


def rows(path):
    """JSON Lines, or what another reader made of Parquet."""
    columns = None
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            r = json.loads(line, object_pairs_hook=strict)
            assert columns in (None, list(r)), "every row has the same columns"
            columns = list(r)
            labels = []
            if "objects" in r:
                o = r["objects"]
                assert len({len(v) for v in o.values()}) == 1
                labels = [{"label": n, "id": c, "box": b} for n, c, b in zip(o["category_name"], o["category"], o["bbox"])]
            for e in r.get("entities", []):
                labels.append({"label": e["label"], "text": [r["text"][e["start"]:e["end"]]]})
            if "label_name" in r:
                labels = [{"label": r["label_name"], "id": r["label"]}]
            if "label_names" in r:
                labels = [{"label": n, "id": i} for n, i in zip(r["label_names"], r["labels"])]
            yield {"source": r["source_ref"] or r["text"], "labels": labels}


found = list({"coco": coco, "yolo": yolo, "voc": voc, "conll": conll, "csv": table, "jsonl": rows}[sys.argv[1]](sys.argv[2]))
json.dump(found, sys.stdout, ensure_ascii=True)
