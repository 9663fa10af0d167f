
'use strict';

const COLUMNS = [
    { key: 'free', title: 'Comes free' },
    { key: 'alone', title: 'Alone' },
    { key: 'inside', title: 'Shared inside' },
    { key: 'outside', title: 'Shared outside' },
    { key: 'disk', title: 'On disk' },
    { key: 'length', title: 'Length' },
    { key: 'exclusive', title: 'Exclusive' },
    { key: 'files', title: 'Files', isCount: true },
    { key: 'extents', title: 'Extents', isCount: true },
];

// The table of entries: those of a directory, or the search results.
class EntryList {
    static ROWS = 100;

    constructor(table, title, more, model, actions) {
        Object.assign(this, { table, title, more, model, actions });
        this.sort = { key: 'free', descending: true };
        more.addEventListener('click', () => {
            this.rows *= 5;
            this.draw();
        });
        this.head();
    }

    show(directory, query) {
        this.directory = directory;
        this.query = query;
        this.rows = EntryList.ROWS;
        this.draw();
    }

    head() {
        const row = document.createElement('tr');
        const titles = [{ key: 'name', title: 'Name' }, ...COLUMNS.slice(0, 1), { title: '' }, ...COLUMNS.slice(1)];
        for (const { key, title } of titles) {
            const cell = document.createElement('th');
            cell.scope = 'col';
            if (key !== undefined) {
                cell.dataset.key = key;
                cell.className = key === 'name' ? '' : 'number';
                const button = document.createElement('button');
                button.type = 'button';
                button.textContent = title;
                button.addEventListener('click', () => {
                    const isSame = this.sort.key === key;
                    this.sort = { key, descending: isSame ? !this.sort.descending : key !== 'name' };
                    this.draw();
                });
                cell.append(button);
            } else {
                cell.setAttribute('aria-label', 'Parts');
            }

            row.append(cell);
        }

        this.table.tHead.append(row);
    }

    draw() {
        const { model, sort } = this;
        const isSearch = this.query !== '';
        const entries = isSearch ? model.search(this.query) : model.children(this.directory);
        const column = model[sort.key];
        const order = sort.key === 'name'
            ? (a, b) => model.name(a).localeCompare(model.name(b), 'en')
            : (a, b) => column[a] - column[b];
        entries.sort((a, b) => (sort.descending ? order(b, a) : order(a, b)) || a - b);
        this.title.textContent = isSearch ? `${entries.length.toLocaleString('en')} found` : 'What is here';
        for (const cell of this.table.tHead.rows[0].cells) {
            cell.removeAttribute('aria-sort');
            if (cell.dataset.key === sort.key) {
                cell.setAttribute('aria-sort', sort.descending ? 'descending' : 'ascending');
            }
        }

        const largest = entries.reduce((most, entry) => Math.max(most, model.data[entry]), 0);
        const rows = entries.slice(0, this.rows).map(entry => this.row(entry, largest, isSearch));
        if (!isSearch) {
            rows.unshift(this.row(this.directory, 0, false));
            rows[0].className = 'total';
        }

        this.table.tBodies[0].replaceChildren(...rows);
        this.more.hidden = entries.length <= this.rows;
        this.more.textContent = `Show more of ${entries.length.toLocaleString('en')}`;
    }

    row(entry, largest, isSearch) {
        const { model } = this;
        const row = document.createElement('tr');
        const name = row.insertCell();
        const bdi = document.createElement('bdi');
        bdi.textContent = model.name(entry) + (entry === this.directory && !isSearch ? ' (all of it)' : '');
        name.append(model.isDirectory(entry) && (isSearch || entry !== this.directory) ? this.actions.link(entry, `${model.name(entry)}/`) : bdi);
        if (isSearch) {
            const where = document.createElement('bdi');
            where.className = 'where';
            where.textContent = model.path(entry);
            name.append(where);
        }

        for (const column of COLUMNS) {
            const cell = row.insertCell();
            cell.className = 'number';
            cell.dataset.key = column.key;
            cell.dataset.value = model[column.key][entry];
            cell.textContent = this.actions.number(model[column.key][entry], column.isCount);
            if (column.key === 'free') {
                const bar = document.createElement('div');
                bar.className = 'bar';
                if (largest > 0 && model.data[entry] > 0) {
                    TreeMap.paint(bar, model, entry);
                    bar.style.width = `${Math.max(6 * model.data[entry] / largest, 0.15)}rem`;
                }

                row.insertCell().append(bar);
            }
        }

        return row;
    }
}
