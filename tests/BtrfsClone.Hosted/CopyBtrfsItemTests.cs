using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Hosted;

/// <summary>What only a host in the same process can see of <c>Copy-BtrfsItem</c>.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class CopyBtrfsItemTests(ScratchBtrfs scratch)
{
    private readonly string _folder = scratch.NewFolder();

    [BtrfsFact]
    public void Stopping_ends_a_tree_at_once_and_leaves_whole_files()
    {
        string source = MakeTree(directories: 30, files: 1000);
        using Runspace runspace = Session.Open();
        string destination = Path.Combine(_folder, "stopped");
        using var shell = Session.Copy(runspace, source, destination);
        IAsyncResult running = shell.BeginInvoke();
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(destination), TimeSpan.FromSeconds(20)));
        Thread.Sleep(100);

        var clock = Stopwatch.StartNew();
        shell.Stop();
        TimeSpan stopping = clock.Elapsed;
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
        Assert.ThrowsAny<RuntimeException>(() => shell.EndInvoke(running));

        string[] files = Directory.GetFiles(destination, "*", SearchOption.AllDirectories);
        Assert.InRange(files.Length, 1, 29_999);
        Assert.All(files, file => Assert.Equal(Path.GetFileName(file), File.ReadAllText(file)));

        // The session goes on, and the clone can be completed.
        using var again = Session.Copy(runspace, source, Path.Combine(_folder, "complete"));
        clock.Restart();
        again.Invoke();
        Assert.InRange(stopping, TimeSpan.Zero, clock.Elapsed / 2);
        Assert.False(again.HadErrors);
        Assert.Equal("", Shell.Check("diff", "-r", source, Path.Combine(_folder, "complete")));
    }

    [BtrfsTheory]
    [InlineData(new[] { "Yes", "No", "Yes" }, 3, new[] { "1", "3" })]
    [InlineData(new[] { "No", "Yes to All" }, 2, new[] { "2", "3" })]
    [InlineData(new[] { "Yes", "No to All" }, 2, new[] { "1" })]
    public void Confirm_asks_for_each_item(string[] answers, int asked, string[] expected)
    {
        ArgumentNullException.ThrowIfNull(answers);
        string source = MakeTree(directories: 1, files: 3) + "/1";
        string destination = Path.Combine(_folder, "confirmed");
        AnsweringHost host = new(answers);
        using Runspace runspace = Session.Open(host);
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        shell.AddCommand("Copy-BtrfsItem").AddParameter("Destination", destination).AddParameter("Confirm");
        shell.Invoke(Enumerable.Range(1, 3).Select(i => $"{source}/{i}"));

        Assert.Equal(asked, host.Questions.Count);
        Assert.Contains($"{source}/1", host.Questions[0], StringComparison.Ordinal);
        Assert.Contains($"{destination}/1", host.Questions[0], StringComparison.Ordinal);
        Assert.Equal(expected, Directory.GetFiles(destination).Select(Path.GetFileName).Order());
    }

    [BtrfsFact]
    public void Confirm_asks_for_nothing_below_a_directory_that_is_declined()
    {
        string source = MakeTree(directories: 1, files: 3) + "/1";
        AnsweringHost host = new("No");
        using Runspace runspace = Session.Open(host);
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        shell.AddCommand("Copy-BtrfsItem").AddParameter("Destination", Path.Combine(_folder, "declined")).AddParameter("Confirm");
        shell.Invoke(new[] { source, $"{source}/1", $"{source}/2" });

        Assert.Single(host.Questions);
        Assert.False(Directory.Exists(Path.Combine(_folder, "declined")));
    }

    [BtrfsFact]
    public void Progress_leaves_the_callers_bar_alone_and_ends_before_it()
    {
        AnsweringHost host = new();
        TimeSpan elapsed = CloneSlowlyUnderABar(host);
        long caller = host.Progress[0].Source;
        var own = host.Progress.Where(shown => shown.Record.Activity != "Caller").ToList();
        Assert.InRange(own.Count, 2, 2 + (elapsed / TimeSpan.FromMilliseconds(300)));
        Assert.All(own, shown => Assert.NotEqual(caller, shown.Source));
        Assert.Single(own.Select(shown => shown.Source).Distinct());
        Assert.Contains("files/s", own[0].Record.StatusDescription, StringComparison.Ordinal);
        Assert.StartsWith(_folder, own[0].Record.CurrentOperation, StringComparison.Ordinal);
        Assert.Equal(ProgressRecordType.Completed, own[^1].Record.RecordType);
        Assert.All(own.SkipLast(1), shown => Assert.Equal(ProgressRecordType.Processing, shown.Record.RecordType));
        Assert.Equal(own[^1], host.Progress[^2]);
    }

    [BtrfsFact]
    public void Progress_is_rarer_where_it_is_drawn_slowly()
    {
        AnsweringHost host = new() { DrawingTime = TimeSpan.FromMilliseconds(200) };
        TimeSpan elapsed = CloneSlowlyUnderABar(host);

        // The last one takes the bar away.
        int drawn = host.Progress.Count(shown => shown.Record.Activity != "Caller") - 1;
        Assert.InRange(drawn * host.DrawingTime, host.DrawingTime, host.DrawingTime + (elapsed / 20));
    }

    [BtrfsFact]
    public void Results_bind_by_property_name_after_remoting_serialization()
    {
        string source = Path.Combine(_folder, "name [1].txt");
        File.WriteAllText(source, "content");
        using Runspace runspace = Session.Open();
        using var first = Session.Copy(runspace, source, Path.Combine(_folder, "clone [1].txt"));
        PSObject result = Assert.Single(first.AddParameter("PassThru").Invoke());

        PSObject restored = (PSObject)PSSerializer.Deserialize(PSSerializer.Serialize(result));
        Assert.Equal("Deserialized.BtrfsClone.Cloning.CloneResult", restored.TypeNames[0]);
        Assert.Equal(7L, restored.Properties["Length"].Value);
        Assert.IsType<TimeSpan>(restored.Properties["Elapsed"].Value);

        using var second = System.Management.Automation.PowerShell.Create();
        second.Runspace = runspace;
        second.AddCommand("Copy-BtrfsItem").AddParameter("Destination", Path.Combine(_folder, "again"));
        second.Invoke(new[] { restored });
        Assert.False(second.HadErrors);
        Assert.Equal("content", File.ReadAllText(Path.Combine(_folder, "again", "clone [1].txt")));
    }

    [BtrfsFact]
    public void Constrained_language_clones_and_reads_results()
    {
        File.WriteAllText(Path.Combine(_folder, "source"), "content");
        using Runspace runspace = Session.Open();
        runspace.SessionStateProxy.LanguageMode = PSLanguageMode.ConstrainedLanguage;
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        shell.AddScript(
            "param($folder) Copy-BtrfsItem $folder/source $folder/clone -PassThru -Exclude *.x | ForEach-Object { $_.Length }");
        Collection<PSObject> output = shell.AddArgument(_folder).Invoke();
        Assert.False(shell.HadErrors, string.Join('\n', shell.Streams.Error));
        Assert.Equal(7L, Assert.Single(output).BaseObject);
    }

    [BtrfsFact]
    public void Fifty_runspaces_clone_at_once()
    {
        string source = MakeTree(directories: 5, files: 20);
        using RunspacePool pool = RunspaceFactory.CreateRunspacePool(Session.State());
        pool.SetMaxRunspaces(50);
        pool.Open();
        var clones = Enumerable.Range(0, 50).Select(i =>
        {
            // Every other one has a destination of its own; the rest share one.
            string destination = Path.Combine(_folder, i % 2 == 0 ? $"own{i}" : "shared");
            var shell = System.Management.Automation.PowerShell.Create();
            shell.RunspacePool = pool;
            shell.AddScript("param($source, $destination) Copy-BtrfsItem $source/* $destination")
                .AddArgument(source).AddArgument(destination);
            return (Shell: shell, Running: shell.BeginInvoke(), Destination: destination);
        }).ToList();

        foreach (var (shell, running, _) in clones)
        {
            shell.EndInvoke(running);
            Assert.Empty(shell.Streams.Error);
            shell.Dispose();
        }

        foreach (string destination in clones.Select(clone => clone.Destination).Distinct())
        {
            Assert.Equal("", Tests.Support.Shell.Check("diff", "-r", source, destination));
        }
    }

    [BtrfsFact]
    public void Fifty_runspaces_clone_atomically_at_once()
    {
        string source = MakeTree(directories: 5, files: 20);
        using RunspacePool pool = RunspaceFactory.CreateRunspacePool(Session.State());
        pool.SetMaxRunspaces(50);
        pool.Open();
        var clones = Enumerable.Range(0, 50).Select(i =>
        {
            var shell = System.Management.Automation.PowerShell.Create();
            shell.RunspacePool = pool;
            // Every other one has a name of its own in one directory; the rest are after the same new directory.
            shell.AddScript("param($source, $destination) Copy-BtrfsItem $source $destination -Atomic")
                .AddArgument(i % 2 == 0 ? source : source + "/*")
                .AddArgument(Path.Combine(_folder, i % 2 == 0 ? $"own{i}" : "same"));
            return (Shell: shell, Running: shell.BeginInvoke(), IsOwn: i % 2 == 0);
        }).ToList();

        int appeared = 0;
        foreach (var (shell, running, isOwn) in clones)
        {
            shell.EndInvoke(running);
            List<ErrorRecord> errors = [.. shell.Streams.Error];
            Assert.True(!isOwn || errors.Count == 0, string.Join('\n', errors));
            appeared += !isOwn && errors.Count == 0 ? 1 : 0;
            Assert.All(errors, e => Assert.Contains(
                e.FullyQualifiedErrorId.Split(',')[0], (string[])["DestinationExists", "Incomplete"]));
            shell.Dispose();
        }

        Assert.Equal(1, appeared);
        foreach (string destination in Directory.GetDirectories(_folder).Where(folder => folder != source))
        {
            Assert.Equal("", Tests.Support.Shell.Check("diff", "-r", source, destination));
        }

        Assert.Equal(27, Directory.GetFileSystemEntries(_folder).Length);
    }

    [BtrfsFact]
    public void ForEach_Object_Parallel_clones()
    {
        string source = MakeTree(directories: 8, files: 20);
        string destination = Path.Combine(_folder, "parallel");
        using Runspace runspace = Session.Open();
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        shell.AddScript(
            """
            param($source, $destination, $manifest)
            $null = New-Item -ItemType Directory $destination
            Get-ChildItem $source | ForEach-Object -Parallel {
                Import-Module $using:manifest
                $_ | Copy-BtrfsItem -Destination $using:destination
            } -ThrottleLimit 4
            """).AddArgument(source).AddArgument(destination).AddArgument(Session.Manifest);
        shell.Invoke();
        Assert.Empty(shell.Streams.Error);
        Assert.Equal("", Tests.Support.Shell.Check("diff", "-r", source, destination));
    }

    [BtrfsFact]
    public void ErrorAction_Stop_ends_in_the_middle_of_a_tree()
    {
        string source = MakeTree(directories: 5, files: 20);
        string destination = Path.Combine(_folder, "merged");
        Directory.CreateDirectory(Path.Combine(destination, "3", "7"));
        using Runspace runspace = Session.Open();
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        shell.AddCommand("Copy-BtrfsItem").AddParameter("Path", source + "/*").AddParameter("Destination", destination)
            .AddParameter("ErrorAction", ActionPreference.Stop);
        var stop = Assert.Throws<ActionPreferenceStopException>(() => shell.Invoke());
        Assert.StartsWith("DestinationExists,", stop.ErrorRecord.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.All(
            Directory.GetFiles(destination, "*", SearchOption.AllDirectories),
            file => Assert.Equal(Path.GetFileName(file), File.ReadAllText(file)));
    }

    [BtrfsFact]
    public void Failing_clones_leave_no_descriptor_behind()
    {
        string source = MakeTree(directories: 1, files: 1);
        using Runspace runspace = Session.Open();
        Fail(50);
        int before = OpenDescriptors();
        Fail(1000);
        // The host opens and closes some of its own.
        Assert.InRange(OpenDescriptors(), 0, before + 100);

        void Fail(int times)
        {
            using var shell = System.Management.Automation.PowerShell.Create();
            shell.Runspace = runspace;
            shell.AddScript(
                """
                param($source, $times)
                foreach ($i in 1..$times) {
                    Copy-BtrfsItem $source $source/1/below
                    Copy-BtrfsItem $source/1/1 /proc/self/below
                    Copy-BtrfsItem $source/missing $source/new
                }
                """).AddArgument(source).AddArgument(times).Invoke();
            Assert.Equal(3 * times, shell.Streams.Error.Count);
        }

        static int OpenDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
    }

    /// <summary>Clones for more than two seconds while the caller, too, shows progress.</summary>
    private TimeSpan CloneSlowlyUnderABar(AnsweringHost host)
    {
        string source = MakeTree(directories: 6, files: 1);
        using Runspace runspace = Session.Open(host);
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        var clock = Stopwatch.StartNew();
        shell.AddScript(
            """
            param($source, $destination)
            Write-Progress -Activity Caller
            1..6 | ForEach-Object { Start-Sleep -Milliseconds 400; "$source/$_" } | Copy-BtrfsItem -Destination $destination
            Write-Progress -Activity Caller -Completed
            """).AddArgument(source).AddArgument(Path.Combine(_folder, "progress")).Invoke();
        Assert.False(shell.HadErrors);
        return clock.Elapsed;
    }

    /// <summary>Makes numbered directories of numbered files, each holding its name.</summary>
    private string MakeTree(int directories, int files)
    {
        string root = Path.Combine(_folder, "tree");
        for (int directory = 1; directory <= directories; directory++)
        {
            string path = Path.Combine(root, directory.ToString(CultureInfo.InvariantCulture));
            Directory.CreateDirectory(path);
            for (int file = 1; file <= files; file++)
            {
                string name = file.ToString(CultureInfo.InvariantCulture);
                File.WriteAllText(Path.Combine(path, name), name);
            }
        }

        return root;
    }
}
