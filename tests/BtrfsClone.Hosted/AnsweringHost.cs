using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace BtrfsClone.Hosted;

/// <summary>A host whose user answers each prompt for a choice as told, and types nothing else.</summary>
/// <param name="answers">The labels to choose, such as <c>Yes</c> or <c>No to All</c>, one for each prompt.</param>
internal sealed class AnsweringHost(params string[] answers) : PSHost
{
    private readonly AnsweringUser _user = new(answers);

    /// <summary>What the user was asked, in order.</summary>
    public IReadOnlyList<string> Questions => _user.Questions;

    /// <summary>The progress that was shown, in order, and which command each record came from.</summary>
    public IReadOnlyList<(long Source, ProgressRecord Record)> Progress => _user.Progress;

    /// <summary>How long it takes to draw a progress bar.</summary>
    public TimeSpan DrawingTime { get => _user.DrawingTime; set => _user.DrawingTime = value; }

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override string Name => "Answering host";

    public override PSHostUserInterface UI => _user;

    public override Version Version => new(1, 0);

    public override void EnterNestedPrompt() => throw new NotSupportedException();

    public override void ExitNestedPrompt() => throw new NotSupportedException();

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode) => throw new NotSupportedException();

    private sealed class AnsweringUser(string[] answers) : PSHostUserInterface
    {
        private readonly Queue<string> _answers = new(answers);

        public List<string> Questions { get; } = [];

        public List<(long Source, ProgressRecord Record)> Progress { get; } = [];

        public TimeSpan DrawingTime { get; set; }

        public override PSHostRawUserInterface RawUI => null!;

        public override int PromptForChoice(
            string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
        {
            Questions.Add(message);
            string answer = _answers.Dequeue();
            for (int i = 0; i < choices.Count; i++)
            {
                if (choices[i].Label.Replace("&", "", StringComparison.Ordinal) == answer)
                {
                    return i;
                }
            }

            throw new InvalidOperationException($"'{answer}' is no choice.");
        }

        public override Dictionary<string, PSObject> Prompt(
            string caption, string message, Collection<FieldDescription> descriptions) => throw new NotSupportedException();

        public override PSCredential PromptForCredential(
            string caption, string message, string userName, string targetName) => throw new NotSupportedException();

        public override PSCredential PromptForCredential(
            string caption,
            string message,
            string userName,
            string targetName,
            PSCredentialTypes allowedCredentialTypes,
            PSCredentialUIOptions options) => throw new NotSupportedException();

        public override string ReadLine() => throw new NotSupportedException();

        public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();

        public override void Write(string value)
        {
        }

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
        {
        }

        public override void WriteDebugLine(string message)
        {
        }

        public override void WriteErrorLine(string value)
        {
        }

        public override void WriteLine(string value)
        {
        }

        public override void WriteProgress(long sourceId, ProgressRecord record)
        {
            Progress.Add((sourceId, record));
            Thread.Sleep(DrawingTime);
        }

        public override void WriteVerboseLine(string message)
        {
        }

        public override void WriteWarningLine(string message)
        {
        }
    }
}
