using System.Globalization;
using System.Text.Json;
using BtrfsClone.Measuring;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Reporting;

/// <summary>The page of a report in a browser.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class BrowserTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;
    private const string Hostile = "<script>alert(1)<";
    private const string Image = "<img src=x onerror=alert(2)>";

    private readonly string _folder = btrfs.NewFolder();

    private string Page => PathOf("usage.html");

    [RootFact(Needs = Chromium.Tools + " cp sync")]
    public void Every_number_that_is_shown_is_that_of_a_measure()
    {
        MakeTree();
        using Chromium browser = OpenPage();
        int shown = 0;
        foreach (string directory in new[] { "", "/a", "/b", "/b/deep" })
        {
            browser.Text($"location.hash = '#{directory}'");
            string last = Path.GetFileName("tree" + directory);
            browser.WaitFor($"document.querySelector('#path li:last-child').textContent.endsWith('{last}')");
            JsonElement rows = browser.Json(
                "[...document.querySelectorAll('#list tbody tr')].map(row => [row.querySelector('bdi').textContent, " +
                "Object.fromEntries([...row.querySelectorAll('[data-key]')]" +
                ".map(cell => [cell.dataset.key, Number(cell.dataset.value)]))])");
            foreach (JsonElement row in rows.EnumerateArray())
            {
                string name = row[0].GetString()!;
                string path = PathOf("tree" + directory);
                path = name.EndsWith(" (all of it)", StringComparison.Ordinal) ? path : Path.Combine(path, name.TrimEnd('/'));
                CheckRow(path, row[1]);
                shown++;
            }

            JsonElement cards = browser.Json(
                "Object.fromEntries([...document.querySelectorAll('.card')].map(card => [card.dataset.key, Number(card.dataset.value)]))");
            MeasureResult measured = Measure(PathOf("tree" + directory));
            Assert.Equal(
                (measured.DiskLength, measured.ReclaimableLength, measured.Files),
                (cards.GetProperty("disk").GetInt64(), cards.GetProperty("free").GetInt64(), cards.GetProperty("files").GetInt64()));
        }

        Assert.Equal(15, shown);
        Assert.Equal("12.0 KiB", browser.Text("report.number(12288)"));
        browser.Text("(document.getElementById('exact').click(), '')");
        Assert.Equal("12,288 B", browser.Text("report.number(12288)"));
        Assert.Equal(
            $"a/|b/|{2 * Block}",
            browser.Text(
                "[...document.querySelectorAll('#pairs tbody td')].map(cell => cell.dataset.value ?? cell.textContent).join('|')"));
        Assert.Empty(browser.Troubles);
    }

    [RootFact(Needs = Chromium.Tools + " cp sync")]
    public void One_goes_in_and_up_by_mouse_keyboard_search_and_history()
    {
        MakeTree();
        using Chromium browser = OpenPage();
        string Here() => browser.Text("[...document.querySelectorAll('#path li')].slice(1).map(item => item.textContent).join('/')");
        Assert.Equal("", Here());
        Assert.Contains(
            "deleting a gives back most", browser.Text("document.getElementById('advice').textContent"), StringComparison.Ordinal);

        browser.Text("(document.querySelector('#map > button[aria-label^=\"b:\"]').click(), '')");
        browser.WaitFor("document.title.startsWith('b ')");
        Assert.Equal("b", Here());
        browser.Text("(history.back(), '')");
        browser.WaitFor("document.title.startsWith('/')");

        // The first area has the focus of the map; the arrow goes to the one beside it.
        browser.Text("(document.querySelector('#map > button[tabindex=\"0\"]').focus(), '')");
        string first = browser.Text("document.activeElement.getAttribute('aria-label')");
        Assert.StartsWith("a: Comes free", first, StringComparison.Ordinal);
        Assert.Contains("/tree/a", browser.Text("document.getElementById('detail').textContent"), StringComparison.Ordinal);
        browser.Press("ArrowRight");
        Assert.StartsWith("b: ", browser.Text("document.activeElement.getAttribute('aria-label')"), StringComparison.Ordinal);
        browser.Press("Enter", "\r");
        browser.WaitFor("document.title.startsWith('b ')");
        Assert.Equal("BUTTON", browser.Text("document.activeElement.tagName"));
        browser.Press("Backspace");
        browser.WaitFor("document.title.startsWith('/')");

        browser.Press("/", "/");
        Assert.Equal("search", browser.Text("document.activeElement.id"));
        browser.Press("w", "w");
        browser.Press("I", "I");
        browser.Press("d", "d");
        Assert.Equal("2 found", browser.Text("document.getElementById('list-title').textContent"));
        Assert.Equal(
            $"{PathOf("tree/a/wide")}|{PathOf("tree/b/wide")}",
            browser.Text("[...document.querySelectorAll('#list .where')].map(where => where.textContent).join('|')"));
        browser.Press("Escape");
        Assert.Equal("What is here", browser.Text("document.getElementById('list-title').textContent"));

        browser.Text("(document.querySelector('th[data-key=name] button').click(), '')");
        Assert.Equal("ascending", browser.Text("document.querySelector('th[data-key=name]').getAttribute('aria-sort')"));
        Assert.Equal("a/b/", browser.Text("[...document.querySelectorAll('#list tbody .link')].map(link => link.textContent).join('')"));
        Assert.Empty(browser.Troubles);
    }

    [RootFact(Needs = Chromium.Tools + " sync")]
    public void Hostile_names_are_text_and_nothing_else()
    {
        Directory.CreateDirectory(PathOf($"tree/{Hostile}/script>"));
        File.WriteAllBytes(PathOf($"tree/{Hostile}/script>/{Image}"), new byte[Block]);
        Shell.Check("sh", "-c", "cd \"$1\" && head -c 4096 /dev/zero >\"$(printf 'caf\\351\\nline')\"", "sh", PathOf("tree"));
        using Chromium browser = OpenPage();

        Assert.DoesNotContain("alert(", File.ReadAllText(Page), StringComparison.Ordinal);
        Assert.Equal(
            $"{Hostile}/|caf\\xe9\\x0aline",
            browser.Text(
                "[...document.querySelectorAll('#list tbody td:first-child')].slice(1).map(cell => cell.textContent).sort().join('|')"));
        browser.Text("(document.querySelector('#list .link').click(), '')");
        browser.WaitFor("document.querySelectorAll('#path li').length === 2");
        Assert.Contains(Hostile, browser.Text("document.title"), StringComparison.Ordinal);
        browser.Text("(document.querySelector('#list .link').click(), '')");
        browser.WaitFor("document.querySelectorAll('#path li').length === 3");
        Assert.Equal(Image, browser.Text("document.querySelector('#map bdi').textContent"));
        Assert.True(browser.Is("document.querySelectorAll('img').length === 0 && document.scripts.length === 6"));

        // And what is put in by other means does not run.
        browser.Text("(document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title = 1\">'), '')");
        Assert.StartsWith("script> ", browser.Text("document.title"), StringComparison.Ordinal);
    }

    [RootFact(Needs = Chromium.Tools + " cp sync")]
    public void The_three_kinds_differ_in_lightness_by_day_and_night_and_a_narrow_window_needs_no_scrolling_aside()
    {
        MakeTree();
        using Chromium browser = new("--window-size=390,800");
        WritePage();
        browser.Open(Page);
        foreach (string scheme in new[] { "light", "dark" })
        {
            browser.Prefer(scheme);
            double[] kinds =
            [
                .. new[] { "--alone", "--inside", "--outside", "--page" }.Select(name => Luminance(
                    browser.Text($"getComputedStyle(document.documentElement).getPropertyValue('{name}').trim()"))),
            ];
            Assert.True(scheme == "light" ? kinds[3] > 0.9 : kinds[3] < 0.1);
            Assert.True(kinds[1] - kinds[0] > 0.15, "Shared inside is lighter than alone.");
            Assert.All(kinds[..3], kind => Assert.True(Math.Abs(kind - kinds[3]) > 0.1));
        }

        Assert.True(browser.Is("document.documentElement.scrollWidth <= innerWidth"));
        Assert.True(browser.Is("document.querySelectorAll('.tile i.outside').length > 0"));
        Assert.Empty(browser.Troubles);
    }

    [RootFact(Needs = Chromium.Tools + " cp sync")]
    public void The_area_of_a_directory_shows_what_comes_free_with_it()
    {
        MakeTree();
        Directory.CreateDirectory(PathOf("tree/c"));
        File.WriteAllBytes(PathOf("tree/c/plain"), new byte[3 * Block]);
        using Chromium browser = OpenPage();
        string Parts(string name) => browser.Text(
            $"[...document.querySelectorAll('#map > button[aria-label^=\"{name}:\"] > i')]" +
            ".map(part => `${part.className} ${part.style.width}`).join('|')");
        double free = 100.0 * Measure(PathOf("tree/a")).ReclaimableLength!.Value / (11 * Block);
        Assert.Equal(81.8, free, 0.1);
        double[] widths =
        [
            .. Parts("a").Split('|').Select(part => double.Parse(part.Split(' ')[1].TrimEnd('%'), CultureInfo.InvariantCulture)),
        ];
        Assert.StartsWith("alone ", Parts("a"), StringComparison.Ordinal);
        Assert.Contains("|inside ", Parts("a"), StringComparison.Ordinal);
        Assert.Contains("|outside ", Parts("a"), StringComparison.Ordinal);
        Assert.Equal(free, widths[0] + widths[1], 0.1);
        Assert.Equal(100 - free, widths[2], 0.1);

        // Areas in an area are there only where they show nothing else: in a and b some of what comes free with them would be hatched.
        Assert.Equal("plain", browser.Text("[...document.querySelectorAll('#map > div')].map(area => area.textContent).join('|')"));
        Assert.Equal("alone", browser.Text("document.querySelector('#map > div > i').className"));

        // In the directory each entry shows what comes free with it alone.
        browser.Text("location.hash = '#/a'");
        browser.WaitFor("document.title.startsWith('a ')");
        Assert.Equal("outside 100%", Parts("pair"));
        Assert.Equal("alone 100%", Parts("own"));
        Assert.Empty(browser.Troubles);
    }

    private static double Luminance(string color)
    {
        string digits = color.Length == 4 ? string.Concat(color[1..].Select(digit => $"{digit}{digit}")) : color[1..];
        double[] channels =
        [
            .. Convert.FromHexString(digits).Select(channel => channel / 255.0)
                .Select(part => part <= 0.03928 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4)),
        ];
        return (0.2126 * channels[0]) + (0.7152 * channels[1]) + (0.0722 * channels[2]);
    }

    private static MeasureResult Measure(string path)
    {
        using MeasureSession session = new(
            new MeasureOptions { Reclaimable = true }, new SessionEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        session.Measure(path, CancellationToken.None);
        return session.Reclaim(detailed: false, CancellationToken.None)[0];
    }

    private static void CheckRow(string path, JsonElement row)
    {
        MeasureResult measured = Measure(path);
        long Number(string key) => row.GetProperty(key).GetInt64();
        Assert.Equal(
            (path, measured.ReclaimableLength, measured.DiskLength, measured.Length, measured.ExclusiveLength, measured.Files,
                measured.ExtentCount),
            (path, Number("free"), Number("disk"), Number("length"), Number("exclusive"), Number("files"), Number("extents")));
        Assert.Equal(measured.ReclaimableLength, Number("alone") + Number("inside"));
        Assert.Equal(measured.DiskLength - measured.InlineLength, Number("free") + Number("outside"));
    }

    /// <summary>
    /// In <c>a</c> nine blocks of which four are shared inside, two that <c>b</c> shares, and an inline file; in <c>b</c> four
    /// blocks under two names, and those two.
    /// </summary>
    private void MakeTree()
    {
        Directory.CreateDirectory(PathOf("tree/a"));
        Directory.CreateDirectory(PathOf("tree/b/deep"));
        foreach ((string name, int length) in new[]
        {
            ("a/own", 5 * Block), ("a/pair", 4 * Block), ("a/wide", 2 * Block), ("a/small", 10), ("b/own", 4 * Block),
        })
        {
            File.WriteAllBytes(PathOf($"tree/{name}"), new byte[length]);
        }

        Native.Link(PathOf("tree/b/own"), PathOf("tree/b/deep/again"));
        Shell.Check("sync", "--file-system", _folder);
        Shell.Check("cp", "--reflink=always", PathOf("tree/a/pair"), PathOf("tree/a/twin"));
        Shell.Check("cp", "--reflink=always", PathOf("tree/a/wide"), PathOf("tree/b/wide"));
        Shell.Check("sync", "--file-system", _folder);
    }

    private Chromium OpenPage()
    {
        WritePage();
        Chromium browser = new("--window-size=1280,1000");
        browser.Open(Page);
        return browser;
    }

    private void WritePage()
    {
        Shell.Check("sync", "--file-system", _folder);
        ShellResult result = Support.Program.Run("report", PathOf("tree"), "--output", Page);
        Assert.Equal(new ShellResult(0, "", ""), result);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
