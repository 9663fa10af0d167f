using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>Ours and the peers, as commands.</summary>
internal static class Contenders
{
    /// <summary>The floor makes no use of more.</summary>
    private const string FloorThreads = "2";

    public static Contender Cp { get; } =
        new("cp --reflink=always", (s, d) => new("cp", "-a", "--reflink=always", s, d)) { Needs = "cp" };

    /// <summary>Copies the bytes: what people use.</summary>
    public static Contender Rsync { get; } =
        new("rsync -aHAX", (s, d) => new("rsync", "-aHAX", s + "/", d)) { Needs = "rsync" };

    /// <summary>Lets the source's two halves share what is equal in them.</summary>
    public static Contender Merge { get; } = new(
        "btrfs-clone merge", (s, _) => new(Checkout.File, "merge", $"{s}/{Site.First}", $"{s}/{Site.Second}"));

    /// <summary>Says whether one of the source's halves is a clone of the other.</summary>
    public static Contender Compare { get; } = new(
        "btrfs-clone compare", (s, _) => new(Checkout.File, "compare", $"{s}/{Site.First}", $"{s}/{Site.Second}"));

    /// <summary>Says whether the source's halves hold the same bytes, by reading them.</summary>
    public static Contender Diff { get; } = new(
        "diff -r, which reads",
        (s, _) => new("diff", "-rq", "--no-dereference", $"{s}/{Site.First}", $"{s}/{Site.Second}"))
    { Needs = "diff" };

    /// <summary>The program with a verb and options, a source and a destination.</summary>
    public static Contender Program(params string[] arguments) => new(
        $"btrfs-clone {string.Join(' ', arguments)}", (s, d) => new(Checkout.File, [.. arguments, s, d]));

    /// <summary>The program with a verb, and a source alone.</summary>
    public static Contender Verb(string verb) => new($"btrfs-clone {verb}", (s, _) => new(Checkout.File, verb, s));

    /// <summary>The search for duplicates with options.</summary>
    public static Contender Duplicates(params string[] options) => new(
        $"btrfs-clone {string.Join(' ', ["duplicates", .. options])}", (s, _) => new(Checkout.File, ["duplicates", .. options, s]));

    public static Contender Floor(string path) =>
        new("floor, 2 threads", (s, d) => new(path, s, d, FloorThreads)) { Needs = path };

    /// <summary>Any command that takes a source and a destination at its end.</summary>
    public static Contender Other(string command)
    {
        string[] words = Words(command);
        return new(command, (s, d) => new(words[0], [.. words[1..], s, d])) { Needs = words[0] };
    }

    /// <summary>Any command that takes a source alone.</summary>
    public static Contender Tool(string command)
    {
        string[] words = Words(command);
        return new(command, (s, _) => new(words[0], [.. words[1..], s])) { Needs = words[0] };
    }

    /// <summary>The contender with a command before it that runs it, and its output going nowhere.</summary>
    public static Contender Quiet(Contender contender, string[] prefix) => contender with
    {
        Command = (s, d) =>
        {
            CommandLine command = contender.Command(s, d);
            return new("sh", ["-c", "exec \"$@\" > /dev/null", "sh", .. prefix, command.File, .. command.Arguments]);
        },
    };

    private static string[] Words(string command) => command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
