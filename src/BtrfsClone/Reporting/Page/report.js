
'use strict';

// The page: the current directory, and what is shown about it.
class Report {
    static PAIRS = 20;

    constructor(model) {
        this.model = model;
        this.pairRows = Report.PAIRS;
        this.query = '';
        this.byKey = false;
        this.map = new TreeMap(this.at('map'), model, {
            enter: (entry, byKey) => this.go(entry, byKey),
            tell: entry => this.tell(entry),
            words: entry => `${model.name(entry)}: ${this.words(entry)}`,
        });
        this.listen();
        this.list = new EntryList(this.at('list'), this.at('list-title'), this.at('more'), model, {
            link: (entry, text) => this.link(entry, text),
            number: (value, isCount) => this.number(value, isCount),
        });
        this.showFailures();
        this.at('created').textContent = `Measured ${new Date(model.created).toLocaleString()}.`;
        this.show();
        new ResizeObserver(() => this.map.resize()).observe(this.at('map'));
    }

    at(id) {
        return document.getElementById(id);
    }

    listen() {
        this.at('controls').addEventListener('submit', event => event.preventDefault());
        this.at('search').addEventListener('input', event => {
            this.query = event.target.value;
            this.list.show(this.here, this.query);
        });
        this.at('area').addEventListener('change', () => this.map.draw(this.here, this.at('area').value));
        this.at('exact').addEventListener('change', () => this.show());
        this.at('more-pairs').addEventListener('click', () => {
            this.pairRows = Infinity;
            this.showPairs();
        });
        addEventListener('hashchange', () => {
            this.query = this.at('search').value = '';
            this.show();
        });
        addEventListener('keydown', event => this.key(event));
    }

    key(event) {
        const isTyping = event.target.closest('input, select');
        if (event.ctrlKey || event.altKey || event.metaKey) {
            return;
        }

        if (event.key === 'Escape' && this.query !== '') {
            this.query = this.at('search').value = '';
            this.list.show(this.here, '');
        } else if (event.key === '/' && !isTyping) {
            event.preventDefault();
            this.at('search').focus();
        } else if (event.key === 'Backspace' && !isTyping && this.here !== this.model.home) {
            event.preventDefault();
            this.go(this.model.parent[this.here], true);
        }
    }

    go(entry, byKey) {
        this.byKey = byKey;
        location.hash = this.model.hash(entry);
    }

    number(value, isCount) {
        if (isCount) {
            return value.toLocaleString('en');
        }

        if (this.at('exact').checked || value < 1024) {
            return `${value.toLocaleString('en')} B`;
        }

        const power = Math.min(Math.floor(Math.log2(value) / 10), 6);
        return `${(value / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'][power]}`;
    }

    words(entry) {
        return COLUMNS.slice(0, 5).map(column => `${column.title} ${this.number(this.model[column.key][entry])}`).join(' \u00b7 ');
    }

    tell(entry) {
        const path = document.createElement('bdi');
        path.textContent = this.model.path(entry);
        this.at('detail').replaceChildren(path, document.createElement('br'), this.words(entry));
    }

    show() {
        this.here = this.model.find(location.hash);
        document.title = `${this.model.name(this.here)} - space on btrfs`;
        this.crumbs();
        this.cards();
        this.advise();
        this.map.draw(this.here, this.at('area').value);
        this.at('detail').replaceChildren('Point at an area, or go to it by keyboard, to see its numbers here.');
        this.list.show(this.here, this.query);
        this.showPairs();
        if (this.byKey) {
            this.byKey = false;
            this.map.focusFirst();
        }
    }

    link(entry, text) {
        const link = document.createElement('button');
        link.type = 'button';
        link.className = 'link';
        const name = document.createElement('bdi');
        name.textContent = text;
        link.append(name);
        link.addEventListener('click', () => this.go(entry, false));
        return link;
    }

    crumbs() {
        const list = document.createElement('ol');
        for (const entry of this.model.way(this.here)) {
            const item = document.createElement('li');
            if (entry === this.here) {
                item.setAttribute('aria-current', 'page');
                const name = document.createElement('bdi');
                name.textContent = this.model.name(entry);
                item.append(name);
            } else {
                item.append(this.link(entry, this.model.name(entry)));
            }

            list.append(item);
        }

        this.at('path').replaceChildren(list);
    }

    cards() {
        this.at('summary').replaceChildren(...['disk', 'free', 'alone', 'inside', 'outside', 'files'].map(key => {
            const column = COLUMNS.find(one => one.key === key);
            const card = document.createElement('div');
            card.className = 'card';
            card.dataset.key = key;
            card.dataset.value = this.model[key][this.here];
            const title = document.createElement('span');
            if (['alone', 'inside', 'outside'].includes(key)) {
                const sign = document.createElement('i');
                sign.className = `key ${key}`;
                title.append(sign);
            }

            title.append(key === 'free' ? 'Comes free if deleted' : column.title);
            const value = document.createElement('b');
            value.textContent = this.number(this.model[key][this.here], column.isCount);
            card.append(title, value);
            return card;
        }));
    }

    // What a new user wants to know first.
    advise() {
        const { model } = this;
        const best = model.children(this.here).reduce((one, other) => one === -1 || model.free[other] > model.free[one] ? other : one, -1);
        const advice = this.at('advice');
        if (best === -1 || model.free[best] === 0) {
            advice.textContent = 'No single entry of this directory gives back data when it is deleted.';
            return;
        }

        const name = document.createElement('bdi');
        name.textContent = model.name(best);
        const strong = document.createElement('strong');
        strong.append(name);
        advice.replaceChildren(
            'Of what is here, deleting ', strong, ` gives back most: ${this.number(model.free[best])}. `,
            'Blue comes free when a directory is deleted; what is orange and hatched stays, since others hold it, too.');
    }

    showPairs() {
        const { tops, pairs } = this.model;
        const count = pairs.length / 3;
        const name = number => {
            const cell = document.createElement('td');
            const bdi = document.createElement('bdi');
            if (number === tops.length + 1) {
                bdi.textContent = 'outside of this report';
            } else if (number === tops.length) {
                bdi.textContent = 'other directories';
            } else if (number === tops.length - 1) {
                bdi.textContent = `files in ${this.model.name(tops[number])} itself`;
            } else {
                cell.append(this.link(tops[number], `${this.model.name(tops[number])}/`));
                return cell;
            }

            cell.append(bdi);
            return cell;
        };
        const rows = [];
        for (let i = 0; i < Math.min(count, this.pairRows); i++) {
            const row = document.createElement('tr');
            const value = document.createElement('td');
            value.className = 'number';
            value.dataset.value = pairs[3 * i + 2];
            value.textContent = this.number(pairs[3 * i + 2]);
            row.append(name(pairs[3 * i]), name(pairs[3 * i + 1]), value);
            rows.push(row);
        }

        this.at('pairs').hidden = count === 0;
        this.at('pairs').querySelector('tbody').replaceChildren(...rows);
        this.at('more-pairs').hidden = count <= this.pairRows;
        this.at('more-pairs').textContent = `Show all ${count.toLocaleString('en')}`;
    }

    showFailures() {
        const { failed, failures } = this.model;
        if (failed === 0) {
            return;
        }

        const box = this.at('failures');
        box.hidden = false;
        box.querySelector('summary').textContent = failed === 1
            ? 'One thing could not be read; the numbers are without it.'
            : `${failed.toLocaleString('en')} things could not be read; the numbers are without them.`;
        box.querySelector('ul').replaceChildren(...failures.map(text => {
            const item = document.createElement('li');
            item.textContent = text;
            return item;
        }));
    }
}

Model.read(document.getElementById('data').textContent)
    .then(model => {
        window.report = new Report(model);
        document.body.dataset.drawn = Math.round(performance.now());
    })
    .catch(error => {
        const broken = document.getElementById('broken');
        broken.hidden = false;
        broken.textContent = typeof DecompressionStream === 'undefined'
            ? 'This browser is too old for this page.'
            : `This page cannot be shown: ${error.message}`;
    });
