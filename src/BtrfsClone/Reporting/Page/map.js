
'use strict';

// The treemap: the entries of a directory as areas, with their own entries as areas inside them.
class TreeMap {
    static MAX_TILES = 1500;
    static MAX_CHILDREN = 400;
    static MAX_DEPTH = 3;
    static HEAD = 18;

    constructor(box, model, actions) {
        this.box = box;
        this.model = model;
        this.actions = actions;
        this.squarify = d3.treemapSquarify;
        box.addEventListener('keydown', event => this.key(event));
    }

    resize() {
        if (this.box.clientWidth !== this.width || this.box.clientHeight !== this.height) {
            this.draw(this.directory, this.area);
        }
    }

    draw(directory, area) {
        [this.directory, this.area] = [directory, area];
        [this.width, this.height] = [this.box.clientWidth, this.box.clientHeight];
        this.count = 0;
        this.tiles = [];
        const drawn = document.createDocumentFragment();
        this.fill(drawn, directory, { x0: 0, y0: 0, x1: this.width, y1: this.height }, 1);
        if (this.count === 0) {
            const empty = document.createElement('p');
            empty.textContent = area === 'free' ? 'Deleting what is here gives back no data.' : 'Nothing here takes space for data.';
            drawn.append(empty);
        }

        this.box.replaceChildren(drawn);
        if (this.tiles.length > 0) {
            this.tiles[0].element.tabIndex = 0;
        }
    }

    focusFirst() {
        this.tiles[0]?.element.focus();
    }

    fill(drawn, directory, box, depth) {
        const weight = this.model[this.area];
        let entries = this.model.children(directory).filter(entry => weight[entry] > 0).sort((a, b) => weight[b] - weight[a]);
        const rest = entries.slice(TreeMap.MAX_CHILDREN);
        entries = entries.slice(0, TreeMap.MAX_CHILDREN);
        const children = entries.map(entry => ({ entry, value: weight[entry] }));
        if (rest.length > 0) {
            children.push({ entry: -1, count: rest.length, value: rest.reduce((sum, entry) => sum + weight[entry], 0) });
        }

        const value = children.reduce((sum, child) => sum + child.value, 0);
        this.squarify({ value, children }, box.x0, box.y0, box.x1, box.y1);
        for (const child of children) {
            if (child.x1 - child.x0 >= 3 && child.y1 - child.y0 >= 3 && this.count < TreeMap.MAX_TILES) {
                this.tile(drawn, child, depth);
            }
        }
    }

    tile(drawn, child, depth) {
        const { model } = this;
        const [width, height] = [child.x1 - child.x0, child.y1 - child.y0];
        const canEnter = child.entry >= 0 && model.isDirectory(child.entry);
        const isFrame = canEnter && depth < TreeMap.MAX_DEPTH && width > 70 && height > 50 && model[this.area][child.entry] > 0 &&
            this.isSumOfEntries(child.entry);
        const element = document.createElement(depth === 1 ? 'button' : 'div');
        element.className = `tile${canEnter ? ' enter' : ''}${isFrame ? ' frame' : ''}`;
        Object.assign(element.style, {
            left: `${child.x0}px`, top: `${child.y0}px`, width: `${width}px`, height: `${height}px`,
        });
        this.count++;
        const text = child.entry < 0 ? `${child.count.toLocaleString('en')} smaller ones` : model.name(child.entry);
        if (child.entry >= 0) {
            if (!isFrame) {
                TreeMap.paint(element, model, child.entry);
            }

            element.addEventListener('pointerenter', () => this.actions.tell(child.entry));
            if (canEnter) {
                element.addEventListener('click', event => this.actions.enter(child.entry, event.detail === 0));
            }
        }

        if (width > 34 && height > 18) {
            const label = document.createElement('span');
            const name = document.createElement('bdi');
            name.textContent = text;
            label.append(name);
            element.append(label);
        }

        if (depth === 1) {
            element.type = 'button';
            element.tabIndex = -1;
            element.setAttribute('aria-label', child.entry < 0 ? text : this.actions.words(child.entry));
            element.addEventListener('focus', () => {
                this.tiles.forEach(tile => { tile.element.tabIndex = tile.element === element ? 0 : -1; });
                if (child.entry >= 0) {
                    this.actions.tell(child.entry);
                }
            });
            this.tiles.push({ element, x: (child.x0 + child.x1) / 2, y: (child.y0 + child.y1) / 2 });
        } else {
            element.setAttribute('aria-hidden', 'true');
        }

        drawn.append(element);
        if (isFrame) {
            const inner = { x0: child.x0 + 3, y0: child.y0 + TreeMap.HEAD, x1: child.x1 - 3, y1: child.y1 - 3 };
            this.fill(drawn, child.entry, inner, depth + 1);
        }
    }

    // Whether deleting a directory frees no more than deleting its entries one at a time. Otherwise the areas in its area would show
    // as shared outside what is freed with the directory, so its area shows its own kinds. A hundredth is too narrow to be visible.
    isSumOfEntries(directory) {
        const { free, data } = this.model;
        const alone = this.model.children(directory).reduce((sum, entry) => sum + free[entry], 0);
        return free[directory] - alone <= data[directory] / 100;
    }

    // Stripes with the width of each kind's share.
    static paint(element, model, entry) {
        for (const kind of ['alone', 'inside', 'outside']) {
            if (model[kind][entry] > 0) {
                const part = document.createElement('i');
                part.className = kind;
                part.style.width = `${100 * model[kind][entry] / model.data[entry]}%`;
                element.append(part);
            }
        }
    }

    key(event) {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        const from = this.tiles.find(tile => tile.element === document.activeElement);
        if (!step || !from) {
            return;
        }

        // The nearest area in the direction; the distance sideways counts double.
        event.preventDefault();
        let best = null;
        let least = Infinity;
        for (const tile of this.tiles) {
            const along = (tile.x - from.x) * step[0] + (tile.y - from.y) * step[1];
            const aside = Math.abs((tile.x - from.x) * step[1]) + Math.abs((tile.y - from.y) * step[0]);
            if (along > 1 && along + 2 * aside < least) {
                [best, least] = [tile, along + 2 * aside];
            }
        }

        best?.element.focus();
    }
}
