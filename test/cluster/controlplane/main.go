// Package main is etcd and the Kubernetes control plane in one program: it plays the component whose name it is
// called by (argv[0], through a link). Each component is its own process: the Kubernetes commands install a signal
// handler that can exist only once in a process.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // CronJobs with a time zone work where the machine has no zone files

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// Constructors, not commands: to construct a command already installs its signal handler.
var components = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
}

func main() {
	component := filepath.Base(os.Args[0])
	if component == "etcd" {
		etcdmain.Main(append([]string{"etcd"}, os.Args[1:]...))
		return
	}
	construct, known := components[component]
	if !known {
		fmt.Fprintf(os.Stderr, "%s is no component: call this program by the name etcd or kube-*\n", component)
		os.Exit(2)
	}
	command := construct()
	command.SetArgs(os.Args[1:])
	os.Exit(cli.Run(command))
}
